"""The updates that a mentorship takes: one for each thing that can happen to it, each with a validator.

A refusal is raised by the validator, so it reaches the sender in words and leaves no trace in the history.
The update id is the submission or operation id: a retry is the same update, also across continue-as-new.
"""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from lifecycle import events


class Updates:
    """Mixed into the mentorship workflow, which says how to `check` an event and how it comes to `happen`."""

    def check(self, event: events.Event) -> None:
        """Raise a refusal if the event makes no sense now."""
        raise NotImplementedError

    async def happen(self, event: events.Event) -> str:
        """Let the event happen; what came of it, in one word."""
        raise NotImplementedError

    @workflow.update(name="Answered")
    async def answered(self, event: events.Answered) -> str:
        """A participant submitted a form."""
        return await self.happen(event)

    @answered.validator
    def check_answered(self, event: events.Answered) -> None:
        self.check(event)

    @workflow.update(name="Decided")
    async def decided(self, event: events.Decided) -> str:
        """A coordinator decided a task."""
        return await self.happen(event)

    @decided.validator
    def check_decided(self, event: events.Decided) -> None:
        self.check(event)

    @workflow.update(name="Pause")
    async def pause(self, event: events.Pause) -> str:
        """Pause until a date, or until somebody resumes."""
        return await self.happen(event)

    @pause.validator
    def check_pause(self, event: events.Pause) -> None:
        self.check(event)

    @workflow.update(name="Resume")
    async def resume(self, event: events.Resume) -> str:
        """End a pause today."""
        return await self.happen(event)

    @resume.validator
    def check_resume(self, event: events.Resume) -> None:
        self.check(event)

    @workflow.update(name="Extend")
    async def extend(self, event: events.Extend) -> str:
        """Move the end later by whole weeks."""
        return await self.happen(event)

    @extend.validator
    def check_extend(self, event: events.Extend) -> None:
        self.check(event)

    @workflow.update(name="Adopt")
    async def adopt(self, event: events.Adopt) -> str:
        """Go on by another version of the program."""
        return await self.happen(event)

    @adopt.validator
    def check_adopt(self, event: events.Adopt) -> None:
        self.check(event)

    @workflow.update(name="End")
    async def end(self, event: events.End) -> str:
        """End early, with a reason."""
        return await self.happen(event)

    @end.validator
    def check_end(self, event: events.End) -> None:
        self.check(event)

    @workflow.update(name="ProposeEnd")
    async def propose_end(self, event: events.ProposeEnd) -> str:
        """A participant proposes to end."""
        return await self.happen(event)

    @propose_end.validator
    def check_propose_end(self, event: events.ProposeEnd) -> None:
        self.check(event)

    @workflow.update(name="Replace")
    async def replace(self, event: events.Replace) -> str:
        """Give somebody's seat to a newcomer."""
        return await self.happen(event)

    @replace.validator
    def check_replace(self, event: events.Replace) -> None:
        self.check(event)

    @workflow.update(name="Add")
    async def add(self, event: events.Add) -> str:
        """Add a member to a group."""
        return await self.happen(event)

    @add.validator
    def check_add(self, event: events.Add) -> None:
        self.check(event)

    @workflow.update(name="Remove")
    async def remove(self, event: events.Remove) -> str:
        """Take a member out of a group."""
        return await self.happen(event)

    @remove.validator
    def check_remove(self, event: events.Remove) -> None:
        self.check(event)

    @workflow.update(name="Leave")
    async def leave(self, event: events.Leave) -> str:
        """A person withdraws."""
        return await self.happen(event)

    @leave.validator
    def check_leave(self, event: events.Leave) -> None:
        self.check(event)

    @workflow.update(name="Nudge")
    async def nudge(self, event: events.Nudge) -> str:
        """Deliver the open requests again."""
        return await self.happen(event)

    @nudge.validator
    def check_nudge(self, event: events.Nudge) -> None:
        self.check(event)

    @workflow.update(name="Release")
    async def release(self, event: events.Release) -> str:
        """End a hold after a safety report."""
        return await self.happen(event)

    @release.validator
    def check_release(self, event: events.Release) -> None:
        self.check(event)

    @workflow.update(name="Cancel")
    async def cancel(self, event: events.Cancel) -> str:
        """The cohort is cancelled."""
        return await self.happen(event)

    @cancel.validator
    def check_cancel(self, event: events.Cancel) -> None:
        self.check(event)

    @workflow.update(name="Staffed")
    async def staffed(self, event: events.Staffed) -> str:
        """Others coordinate the cohort now."""
        return await self.happen(event)

    @staffed.validator
    def check_staffed(self, event: events.Staffed) -> None:
        self.check(event)

    @workflow.update(name="Moved")
    async def moved(self, event: events.Moved) -> str:
        """A participant lives in another zone now."""
        return await self.happen(event)

    @moved.validator
    def check_moved(self, event: events.Moved) -> None:
        self.check(event)

    @workflow.update(name="Seen")
    async def seen(self, event: events.Seen) -> str:
        """A sign of life that is no answer."""
        return await self.happen(event)

    @seen.validator
    def check_seen(self, event: events.Seen) -> None:
        self.check(event)

    @workflow.update(name="Bounced")
    async def bounced(self, event: events.Bounced) -> str:
        """A participant's address refuses mail for good."""
        return await self.happen(event)

    @bounced.validator
    def check_bounced(self, event: events.Bounced) -> None:
        self.check(event)

    @workflow.update(name="Corrected")
    async def corrected(self, event: events.Corrected) -> str:
        """A participant's address was corrected."""
        return await self.happen(event)

    @corrected.validator
    def check_corrected(self, event: events.Corrected) -> None:
        self.check(event)
