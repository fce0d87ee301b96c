"""A cohort that begins with an open call, from its launch to mentorships that run, over Temporal's test server."""

from __future__ import annotations

from pathlib import Path

from testing.replay import replayer
from testing.seasons.played_gathering import play_gathering


async def test_an_open_call_becomes_mentorships_that_run_and_its_history_replays(tmp_path: Path) -> None:
    played = await play_gathering(tmp_path)
    assert played.mentorships == ("m01",)
    assert played.task == ("published", "coco")
    written = played.history.to_json()
    assert "gather" in written
    for word in ("example.org", "ella", "leading"):
        assert word not in written, "Temporal holds no name, no address and no answer"
    await replayer().replay_workflow(played.history)
