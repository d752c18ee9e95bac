"""A real MCP server of the official SDK and some webhooks, for the tests beside this file.

`server.py stdio` speaks MCP over its standard streams. `server.py http [PORT]` serves MCP at /mcp, behind a bearer token,
and webhooks at /hook; it prints the port that it listens on.
"""

import asyncio
import os
import socket
import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

TOKEN = "open sesame"

server = MCPServer("antiphon-tests", log_level="CRITICAL")
slow_began = asyncio.Event()
slow_cancelled = asyncio.Event()


@server.tool(structured_output=False)
def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return f"The sum is {a + b}."


@server.tool()
def order(number: int) -> CallToolResult:
    """Has a result that is data only."""
    return CallToolResult(content=[], structured_content={"number": number, "state": "shipped"})


@server.tool(structured_output=False)
def refuse() -> str:
    """Says no."""
    raise ToolError("the shop is closed")


@server.tool(structured_output=False)
async def slow() -> str:
    """Takes for ever, and knows when it is cancelled."""
    slow_began.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        slow_cancelled.set()
        raise
    return "never"


@server.tool(structured_output=False)
async def slow_has_begun() -> str:
    """Answers once `slow` runs."""
    await slow_began.wait()
    return "begun"


@server.tool(structured_output=False)
async def slow_was_cancelled() -> str:
    """Answers once `slow` was cancelled."""
    await slow_cancelled.wait()
    return "cancelled"


@server.tool(structured_output=False)
def process() -> str:
    """Tells which process this is."""
    return str(os.getpid())


@server.tool(structured_output=False)
def die() -> str:
    """Ends the process in the middle of the call."""
    os._exit(1)


@server.tool(structured_output=False)
async def learn(ctx: Context) -> str:
    """Offers one more tool from now on, and says so."""
    server.add_tool(lambda: "I am new.", name="fresh", description="Was not there before.", structured_output=False)
    await ctx.session.send_tool_list_changed()
    return "learned"


async def echo(request: Request) -> Response:
    return JSONResponse({"got": await request.json(), "token": request.headers.get("authorization")})


async def text(_: Request) -> Response:
    return PlainTextResponse("Your parcel is on its way.")


async def broken(_: Request) -> Response:
    return PlainTextResponse("the database is away", status_code=500)


async def silent(_: Request) -> Response:
    await asyncio.Event().wait()
    return PlainTextResponse("never")


async def elsewhere(_: Request) -> Response:
    return RedirectResponse("/hook/text", status_code=307)


async def endless(_: Request) -> Response:
    return PlainTextResponse("é" * 1_000_000)


async def stray(_: Request) -> Response:
    return Response(b"\xff\xfe\x00 no text", media_type="application/octet-stream")


class WithToken:
    """Lets only who knows the token through."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        headers = dict(scope.get("headers") or [])
        known = headers.get(b"authorization") == f"Bearer {TOKEN}".encode()
        if scope["type"] == "http" and scope["path"].startswith("/mcp") and not known:
            await PlainTextResponse("who are you?", status_code=401)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def serve_http(port: int) -> None:
    mcp = server.streamable_http_app()
    handlers = [echo, text, broken, silent, elsewhere, endless, stray]
    hooks = [Route(f"/hook/{handler.__name__}", handler, methods=["POST"]) for handler in handlers]
    app = Starlette(routes=[*hooks, Mount("/", mcp)], lifespan=lambda _: mcp.router.lifespan_context(mcp))
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(WithToken(app), log_level="error")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["stdio"]:
            server.run("stdio")
        case ["http", *port]:
            serve_http(int(port[0]) if port else 0)
        case _:
            sys.exit("usage: server.py stdio | http [PORT]")
