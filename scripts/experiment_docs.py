"""Puts what `bcfl experiment` left in a folder into docs/experiments.md: tables, figures, rows.

Run: python -m scripts.experiment_docs FOLDER
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

from PIL import Image

from bcfl_client.budget import read_curve
from bcfl_client.experiments.results import markdown

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT, FIGURES = ROOT / "docs" / "experiments.md", ROOT / "docs" / "figures"
COLOURS = 64  # of a figure: a third of the bytes


def main(folder: Path) -> str | None:
    """Rewrites each block <!-- NAME --> ... <!-- /NAME --> for which there is a NAME.json; returns what is wrong."""
    text = DOCUMENT.read_text()
    FIGURES.mkdir(exist_ok=True)
    names = re.findall(r"<!-- ([\w-]+) -->", text)
    there = [name for name in names if (folder / f"{name}.json").exists()]
    if not there:
        return f"{folder} holds no results: run `bcfl experiment NAME --out {folder}`"
    for name in there:
        for old in FIGURES.glob(f"{name}*.png"):
            if owner(old.stem, names) == name:
                old.unlink()
        own = [path for path in folder.glob(f"{name}*.png") if owner(path.stem, names) == name]
        figures = sorted(own, key=lambda path: path.stem)
        for path in figures:
            Image.open(path).convert("RGB").quantize(COLOURS).save(FIGURES / path.name, optimize=True)
        for suffix in ("csv", "json"):
            shutil.copy(folder / f"{name}.{suffix}", FIGURES)
        new = block(json.loads((folder / f"{name}.json").read_text()), name, [path.name for path in figures])
        pattern = f"<!-- {name} -->.*<!-- /{name} -->"
        text = re.sub(pattern, lambda _, new=new: new, text, flags=re.S)
        print(f"{name}: {len(figures)} figures")
    if "resource-allocation" in there:
        print(f"MEASURED in bcfl_client/budget.py should be {read_curve(folder / 'resource-allocation.json')}")
    DOCUMENT.write_text(text)
    return None


def owner(stem: str, names: list[str]) -> str:
    """Whose figure this is: `lazy-nodes-defended` is of `lazy-nodes`, unless that is a name of its own."""
    return max((name for name in names if stem == name or stem.startswith(f"{name}-")), key=len, default="")


def block(about: dict, name: str, figures: list[str]) -> str:
    """The generated part of a section."""
    data, runs = about["data"], about["runs"]
    made = f"{runs} run{'s' if runs > 1 else ''}, seed {about['seed']}, {data['name']} ({data['train']:,} images)"
    images = "\n".join(f"![{Path(figure).stem}](figures/{figure})" for figure in figures)
    rows = f"[rows](figures/{name}.csv), [settings, seeds, versions and findings](figures/{name}.json)"
    table = about["findings"].get("table")
    parts = [images, *([markdown(table)] if table else []), f"{made}; {rows}"]
    return f"<!-- {name} -->\n" + "\n\n".join(parts) + f"\n<!-- /{name} -->"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
