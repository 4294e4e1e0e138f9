"""Model servers on loopback that speak the vendors' real wire formats, for tests, benchmarks and trying out.

with FakeProvider(lambda request: FakeReply(text="Thursday.")) as fake:
    ... base_url=fake.base_url("openai")
"""

from llm.fakes.provider import FakeProvider
from llm.fakes.replies import FakeReply, FakeRequest

__all__ = ["FakeProvider", "FakeReply", "FakeRequest"]
