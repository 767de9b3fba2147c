"""Federated learning in one process: the code of trainers and miners, without chain and content store."""
