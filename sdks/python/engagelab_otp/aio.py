"""
The same client for asyncio: each call runs the synchronous one in a thread, so there is one transport and one behaviour.
Cancelling a call stops the waiting, not the request, which may still be carried out.
"""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Optional, Sequence, Union

from .client import OTPClient
from .resources.balance import Balance
from .resources.insights import Insights
from .resources.messages import Message, MessagePage, ResendResult
from .resources.send_options import Params
from .resources.sending import SendResult
from .resources.templates import Template, TemplatePreview, TemplateSaved
from .resources.verifications import VerifyResult


class _Threads:
    """Runs calls in a pool: the loop's own unless another is given."""

    def __init__(self, executor: Optional[ThreadPoolExecutor]) -> None:
        self._executor = executor

    async def run(self, method: Any, *args: Any, **options: Any) -> Any:
        call = functools.partial(method, *args, **options)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


class AsyncOTPClient:
    """
    Arguments are those of OTPClient, of its methods too; every method is awaited.
    `executor` bounds how many calls run at once; default: the pool of the event loop.
    """

    def __init__(
        self,
        dev_key: Optional[str] = None,
        dev_secret: Optional[str] = None,
        *,
        executor: Optional[ThreadPoolExecutor] = None,
        **options: Any,
    ) -> None:
        self._client = OTPClient(dev_key, dev_secret, **options)
        self._threads = _Threads(executor)
        self.messages = AsyncMessages(self._client, self._threads)
        self.templates = AsyncTemplates(self._client, self._threads)
        self.sandbox = AsyncSandbox(self._client, self._threads)

    async def send(
        self, to: str, template_id: str, params: Optional[Params] = None, language: str = "default", **options: Any
    ) -> SendResult:
        return await self._threads.run(self._client.send, to, template_id, params, language, **options)

    async def send_code(
        self,
        to: str,
        code: str,
        template_id: str,
        params: Optional[Params] = None,
        language: str = "default",
        **options: Any,
    ) -> SendResult:
        return await self._threads.run(self._client.send_code, to, code, template_id, params, language, **options)

    async def send_custom(
        self, to: Union[str, Sequence[str]], template_id: str, params: Optional[Params] = None, **options: Any
    ) -> SendResult:
        return await self._threads.run(self._client.send_custom, to, template_id, params, **options)

    async def verify(self, message_id: str, code: str, **options: Any) -> VerifyResult:
        return await self._threads.run(self._client.verify, message_id, code, **options)

    async def insights(self, **query: Any) -> Insights:
        return await self._threads.run(self._client.insights, **query)

    async def balance(self) -> Balance:
        return await self._threads.run(self._client.balance)

    def __repr__(self) -> str:
        return f"Async{self._client!r}"


class AsyncMessages:
    def __init__(self, client: OTPClient, threads: _Threads) -> None:
        self._messages = client.messages
        self._threads = threads

    async def get(self, id: str) -> Message:
        return await self._threads.run(self._messages.get, id)

    async def list(self, **filter: Any) -> MessagePage:
        return await self._threads.run(self._messages.list, **filter)

    async def resend(self, id: str, *, channel: Optional[str] = None) -> ResendResult:
        return await self._threads.run(self._messages.resend, id, channel=channel)

    async def next_channel(self, id: str) -> SendResult:
        return await self._threads.run(self._messages.next_channel, id)

    async def cancel(self, id: str) -> Dict[str, str]:
        return await self._threads.run(self._messages.cancel, id)


class AsyncTemplates:
    def __init__(self, client: OTPClient, threads: _Threads) -> None:
        self._templates = client.templates
        self._threads = threads

    async def list(self) -> List[Template]:
        return await self._threads.run(self._templates.list)

    async def get(self, id: str) -> Template:
        return await self._threads.run(self._templates.get, id)

    async def create(self, body: Dict[str, Any]) -> TemplateSaved:
        return await self._threads.run(self._templates.create, body)

    async def update(self, id: str, body: Dict[str, Any]) -> TemplateSaved:
        return await self._threads.run(self._templates.update, id, body)

    async def delete(self, id: str) -> Dict[str, Any]:
        return await self._threads.run(self._templates.delete, id)

    async def preview(self, id: str, body: Optional[Dict[str, Any]] = None) -> TemplatePreview:
        return await self._threads.run(self._templates.preview, id, body)


class AsyncSandbox:
    def __init__(self, client: OTPClient, threads: _Threads) -> None:
        self._sandbox = client.sandbox
        self._threads = threads

    async def set_webhook(self, body: Dict[str, Any]) -> Dict[str, Any]:
        return await self._threads.run(self._sandbox.set_webhook, body)

    async def messages(self, to: str, **options: Any) -> Dict[str, Any]:
        return await self._threads.run(self._sandbox.messages, to, **options)

    async def wait_for_code(self, to: str, **options: Any) -> str:
        return await self._threads.run(self._sandbox.wait_for_code, to, **options)
