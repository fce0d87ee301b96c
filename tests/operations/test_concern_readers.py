"""That somebody opened a concern by a command is in the audit, and hidden there from those whom it may name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from operations import audit
from operations.audit import COMMAND_LINE, AuditFilters
from operations.errors import Refused
from operations.mentorships.concerns import audited_reader
from store.database import Database
from testing.environments.web_env import COHORT, NOW, launch


async def test_who_opens_concerns_is_on_the_record_and_hidden_from_others(new_sqlite: Callable[[], str]) -> None:
    async with Database.open(new_sqlite()) as database:
        await launch(database)
        for what in ("show --concerns", "answers --concerns"):
            reader = await audited_reader(database, what, COHORT, ["spring/pair"], NOW, by="", proof=COMMAND_LINE)
            assert reader == "coco"
        unnamed = await audited_reader(
            database, "answers", COHORT, [], NOW, by="", proof=COMMAND_LINE, result="download", named=False
        )
        assert unnamed == ""
        with pytest.raises(Refused, match="is no coordinator"):
            await audited_reader(database, "show --concerns", COHORT, [], NOW, by="ada", proof=COMMAND_LINE)
        for who, seen in (("coco", 3), ("another", 1)):
            lines, _ = await audit.look(database, AuditFilters(reader=who))
            assert len(lines) == seen, who
