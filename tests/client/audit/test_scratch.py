from __future__ import annotations

from bcfl_client.audit import audit_task
from bcfl_client.chain.digests import challenge_digest
from bcfl_client.storage import DirectoryStore

from .disputes import *
from .disputes import _evidence
from .stage import Stage
from .world import World


def _audit(stage):
    stage.withdraw_all()
    r = audit_task(stage.world.connection, stage.store, stage.task.address, wait_seconds=0)
    print(r.summary)
    return r


def test_cross_seat(world: World, store: DirectoryStore):
    stage = Stage(world, store, terms={"rounds": 2}).bid().select()
    stage.commit()
    stage.reveal()
    stage.check()
    stage.mine({2: stage.false_result(77)})
    w = stage.actor(16)
    salt = bytes(32)
    d = challenge_digest(stage.task.place(1, 0, w.sender.address), 2, 77, salt)
    w.commit_challenge(0, d)  # against honest miner 0
    o = stage.openings[2]
    ev = _evidence(stage, 77, stage.known[o.root])
    w.challenge(2, 77, salt, o.root, o.content_digest, ev)
    print("refuted bitmap", bin(stage.task.status().round.refuted))
    stage.finalise()
    print(audit_task(stage.world.connection, stage.store, stage.task.address, wait_seconds=0).summary)


def test_stakes_again(world: World, store: DirectoryStore):
    stage = Stage(world, store, terms={"rounds": 3, "minMiners": 1}).bid().select()
    stage.commit()
    stage.reveal()
    stage.check()
    stage.mine({2: stage.false_result(77)})
    refute(stage, 16, 2, 77)
    stage.finalise()
    stage.commit()
    stage.reveal()
    stage.check()
    stage.mine()
    claim(stage, 17, 0, 5)
    stage.finalise()
    stage.honest_round()
    print(audit_task(stage.world.connection, stage.store, stage.task.address, wait_seconds=0).summary)
