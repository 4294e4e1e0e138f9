"""Files of the conversation: sending one from the workspace, listing what was sent, taking one into the workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from pydantic import Field

from accounts.errors import AccountsError
from agents.errors import ToolFailed, ToolRetry
from agents.models import RunKind
from agents.services.attachment_copies import FOLDER, copy_name
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.files.quota import check_room
from agents.tools.files.storing import replace
from agents.tools.workspace import open_file, open_folder, split_file
from messaging.attachments import queries, services, store
from messaging.attachments.limits import MAX_BYTES
from messaging.errors import HoldsSecrets, Unsupported
from messaging.models import Attachment, Conversation

if TYPE_CHECKING:
    from agents.processes.channel import Channel

STEP = 1 << 16


class SendFile(Arguments):
    path: str = Field(description="A file of your workspace, of 25 MB at most.", max_length=1_000)
    caption: str = Field(default="", description="What to say with it, in Markdown.", max_length=4_000)
    name: str = Field(default="", description="What to call it; its own name otherwise.", max_length=200)


def send_file(context: ToolContext, arguments: SendFile) -> ToolOutput:
    conversation = _conversation(context)
    folder, name = split_file(arguments.path)
    with open_folder(context.workspace, folder) as handle:
        descriptor = open_file(handle, name, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise ToolFailed(f"the file has more than {MAX_BYTES // 1024 // 1024} MB")
        try:
            message = services.send_file(
                conversation,
                run_id=context.run.pk,
                author_name=context.run.agent.name,
                name=arguments.name or name,
                stream=file,
                text=arguments.caption,
                key=context.key,
            )
        except (AccountsError, HoldsSecrets, Unsupported) as error:
            raise ToolFailed(str(error)) from None
    if context.run.kind == RunKind.CHANNEL:
        cast("Channel", context.process).has_sent(message)
    sent = message.metadata["attachments"][0]
    return ToolOutput(f"Sent {sent['name']} ({sent['size_bytes']:,} bytes) as attachment #{sent['id']}.")


class UseAttachment(Arguments):
    action: Literal["list", "save"]
    attachment_id: int | None = Field(default=None, description="Which one to save.", ge=1)
    limit: int = Field(default=20, ge=1, le=100, description="How many to list, newest first.")


def use_attachment(context: ToolContext, arguments: UseAttachment) -> ToolOutput:
    conversation = _conversation(context)
    if arguments.action == "list":
        rows = queries.sent_in(conversation.pk)[: arguments.limit]
        return ToolOutput("\n".join(_describe(row) for row in rows) or "[no files were sent here]")
    if arguments.attachment_id is None:
        raise ToolRetry("Say which one: give attachment_id.")
    found = queries.sent_in(conversation.pk).filter(pk=arguments.attachment_id).first()
    if found is None:
        raise ToolRetry(f"There is no attachment #{arguments.attachment_id} in this conversation.")
    return ToolOutput(f"Saved as {_save(context, found)} ({found.size_bytes:,} bytes, {found.media_type}).")


def _save(context: ToolContext, attachment: Attachment) -> str:
    check_room(context.workspace, attachment.size_bytes)
    try:
        content = store.open_attachment(attachment)
    except FileNotFoundError:
        raise ToolFailed("its content is not stored any more") from None
    name = copy_name(attachment)
    with content, open_folder(context.workspace, (FOLDER,), create=True) as handle:
        replace(handle, name, _pieces(content))
    return f"{FOLDER}/{name}"


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    while piece := content.read(STEP):
        yield piece


def _describe(attachment: Attachment) -> str:
    assert attachment.message is not None
    stamp = attachment.created_at.strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"#{attachment.pk} {attachment.name} ({attachment.media_type}, {attachment.size_bytes:,} bytes),"
        f" sent by {' '.join(attachment.message.author_name.split())} at {stamp}"
    )


def _conversation(context: ToolContext) -> Conversation:
    if context.run.conversation_id is None:
        raise ToolFailed("this work belongs to no conversation")
    return Conversation.objects.select_related("account").get(pk=context.run.conversation_id)


TOOLS = (
    Tool(
        name="send_file",
        description="Send a file of your workspace to the people of the conversation. Your turn goes on.",
        arguments=SendFile,
        function=send_file,
        kinds=frozenset({"channel", "worker"}),
        transactional=False,
        repeatable=True,
    ),
    Tool(
        name="attachment",
        description="List the files that were sent in this conversation, or save one of them into your workspace.",
        arguments=UseAttachment,
        function=use_attachment,
        kinds=frozenset({"channel", "branch", "worker"}),
        transactional=False,
        repeatable=True,
        polling=True,
    ),
)
