"""Flower's side of `scripts.bench_engine`: its simulation on Ray. python flower_side.py FOLDER"""

from __future__ import annotations

import json
import sys
import time

import flwr
from flwr.client import ClientApp, NumPyClient
from flwr.common import Context, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.server import ServerApp, ServerAppComponents, ServerConfig
from flwr.server.strategy import FedAvg
from plain import Task, held, train

FOLDER = sys.argv[1]

clock: list[float] = []
last: list = []


class Client(NumPyClient):
    def __init__(self, client: int) -> None:
        self.client = client

    def fit(self, parameters, config):
        client = held(FOLDER, self.client)
        return train(client, parameters, config["round"]), len(client.labels), {}


def client_fn(context: Context):
    return Client(int(context.node_config["partition-id"])).to_client()


class Strategy(FedAvg):
    def configure_fit(self, *arguments, **named):
        clock.append(time.perf_counter())
        return super().configure_fit(*arguments, **named)

    def aggregate_fit(self, server_round, results, failures):
        aggregated = super().aggregate_fit(server_round, results, failures)
        clock.append(time.perf_counter())
        last[:] = [aggregated[0]]
        return aggregated


def server_fn(context: Context) -> ServerAppComponents:
    strategy = Strategy(
        fraction_fit=1.0,
        fraction_evaluate=0.0,
        min_fit_clients=task.options["clients"],
        min_available_clients=task.options["clients"],
        on_fit_config_fn=lambda server_round: {"round": server_round - 1},
        initial_parameters=ndarrays_to_parameters(task.start),
    )
    return ServerAppComponents(strategy=strategy, config=ServerConfig(num_rounds=task.options["rounds"]))


if __name__ == "__main__":
    task = Task(FOLDER)
    flwr.simulation.run_simulation(
        server_app=ServerApp(server_fn=server_fn),
        client_app=ClientApp(client_fn=client_fn),
        num_supernodes=task.options["clients"],
        backend_config={
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
            "init_args": {"num_cpus": task.options["cores"], "include_dashboard": False},
        },
    )
    seconds = clock[-1] - clock[2]  # two marks a round
    print(json.dumps({"seconds": seconds, "accuracy": task.accuracy(parameters_to_ndarrays(last[0]))}))
