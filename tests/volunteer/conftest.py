from tests.pool_client import client, pool_transport

__all__ = ["client", "pool_transport"]
