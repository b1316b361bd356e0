#!/usr/bin/env python3
"""Bounded HTTP load client for loopback servers (standard library only). Prints JSON; bench/run.py calls `run`.

One target:
  load.py --url http://127.0.0.1:8101/tickets/ --connections 8 --seconds 5 \
          --login '{"url":"http://127.0.0.1:8101/login/","fields":{"username":"a","password":"b"}}'
Several targets, interleaved round by round beside a reference (for ratios):
  load.py --scenario FILE.json --rounds 3 --seconds 4 --connections 1,8 --ref http://127.0.0.1:8100/

Scenario: {"login": RECIPE, "vars": {...}, "targets": [{"name":..., "url":..., ["method","data","json",
  "headers","prefetch","prefetch_each","expect","reject","status","login","follow","pick","warm","max_requests","connections"]}]}
Login RECIPE: {"url": page with the form, "post": where to send it (default: url), "fields": {...},
  "headers": {...}, "expect": regex that the page after login must match}.  Hidden inputs of the form (CSRF
  tokens) are copied into the post.  {"basic": "user:pass"} and {"cookie": "k=v"} are recipes too.
"prefetch": URL of a page whose hidden inputs are copied into "data", once a connection; "prefetch_each":
  true does it before every request (its time is then part of the figure, as for a person with a browser).
Placeholders in url/prefetch/data: {n} a running number, {id:A-B} a random whole number A..B,
  {seq:A} A, A+1, A+2 ... ; {VAR} from "vars"; {of:VAR} one of a list at random, {next:VAR} each of a list once.
"status": accepted codes (default 200; for posts 200,201,302,303).  "expect"/"reject": regex that the body
  (and Location) must / must not match, else the request counts as an error.
Load goes to loopback only, and is bounded in time (60 s a run) and count.
"""
import argparse, asyncio, base64, html, json, os, random, re, statistics, sys, time
from urllib.parse import urlencode, urljoin, urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
INPUT = re.compile(rb"<(?:input|button)\b[^>]*>", re.I)
ATTR = re.compile(rb"""\b(name|value|type)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.I)


def hidden_inputs(body):
    out = {}
    for tag in INPUT.findall(body):
        a = {k.decode().lower(): (x or y or z) for k, x, y, z in ATTR.findall(tag)}
        if a.get("type", b"").lower() == b"hidden" and a.get("name"):
            out[html.unescape(a["name"].decode("utf8", "replace"))] = html.unescape(
                a.get("value", b"").decode("utf8", "replace"))
    return out


class Conn:
    """One keep-alive HTTP/1.1 connection with a cookie jar (one host)."""

    def __init__(self, timeout=60):
        self.r = self.w = None
        self.cookies, self.timeout, self.host = {}, timeout, None
        self.auth = {}

    async def _once(self, method, url, body, headers):
        u = urlsplit(url)
        if u.hostname not in LOOPBACK:
            raise SystemExit(f"refused: {u.hostname} is not loopback")
        key = (u.hostname, u.port or 80)
        if self.w is None or self.host != key:
            self.close()
            self.r, self.w = await asyncio.open_connection(*key, limit=2**22)
            self.host = key
        path = (u.path or "/") + ("?" + u.query if u.query else "")
        h = {"Host": u.netloc, "User-Agent": "load.py", "Accept": "text/html,application/json;q=0.9,*/*;q=0.8",
             "Connection": "keep-alive", **self.auth, **headers}
        if self.cookies:
            h["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if body is not None:
            h["Content-Length"] = str(len(body))
        self.w.write((f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in h.items())
                      + "\r\n").encode() + (body or b""))
        await self.w.drain()
        head = await self.r.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        status = int(lines[0].split(b" ", 2)[1])
        hd = {}
        for ln in lines[1:]:
            k, _, v = ln.partition(b":")
            k, v = k.strip().lower(), v.strip()
            if k == b"set-cookie":
                n, _, val = v.split(b";", 1)[0].partition(b"=")
                if val in (b"", b'""'):
                    self.cookies.pop(n.decode(), None)
                else:
                    self.cookies[n.decode()] = val.decode()
            elif k:
                hd[k] = v
        close = hd.get(b"connection", b"").lower() == b"close" or lines[0].startswith(b"HTTP/1.0")
        if method == "HEAD" or status in (204, 304) or 100 <= status < 200:
            data = b""
        elif b"chunked" in hd.get(b"transfer-encoding", b"").lower():
            parts = []
            while True:
                n = int((await self.r.readline()).split(b";")[0], 16)
                if n == 0:
                    while (await self.r.readline()) not in (b"\r\n", b""):
                        pass
                    break
                parts.append(await self.r.readexactly(n))
                await self.r.readexactly(2)
            data = b"".join(parts)
        elif b"content-length" in hd:
            data = await self.r.readexactly(int(hd[b"content-length"]))
        else:
            data, close = await self.r.read(-1), True
        if close:
            self.close()
        return status, hd, data

    async def request(self, method, url, body=None, headers=None):
        headers = headers or {}
        fresh = self.w is None
        try:
            return await asyncio.wait_for(self._once(method, url, body, headers), self.timeout)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            if fresh:
                raise
            return await asyncio.wait_for(self._once(method, url, body, headers), self.timeout)  # stale keep-alive

    async def follow(self, method, url, body=None, headers=None, hops=5):
        s, hd, data = await self.request(method, url, body, headers)
        while s in (301, 302, 303, 307) and hops:
            url, hops = urljoin(url, hd[b"location"].decode()), hops - 1
            s, hd, data = await self.request("GET", url, None, {k: v for k, v in (headers or {}).items()
                                                                 if k.lower() != "content-type"})
        return s, hd, data

    def close(self):
        if self.w is not None:
            try:
                self.w.close()
            except Exception:
                pass
        self.r = self.w = None


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def login(c, rec):
    if not rec:
        return
    if "basic" in rec:
        c.auth["Authorization"] = "Basic " + base64.b64encode(rec["basic"].encode()).decode()
    if "cookie" in rec:
        for kv in rec["cookie"].split(";"):
            k, _, v = kv.strip().partition("=")
            c.cookies[k] = v
    if "headers" in rec:
        c.auth.update(rec["headers"])
    if "url" not in rec:
        return
    _, _, page = await c.follow("GET", rec["url"])
    fields = {**hidden_inputs(page), **rec["fields"]}
    s, _, page = await c.follow("POST", rec.get("post", rec["url"]), urlencode(fields).encode(),
                                {**FORM, "Referer": rec["url"]})
    if s >= 400 or not re.search(rec.get("expect", ""), page.decode("utf8", "replace")):
        raise SystemExit(f"login failed: status {s}, {len(page)} bytes: {page[:300]!r}")


COUNTER, SESSIONS = {}, {}


def fill(x, vars_):
    def sub(m):
        t = m.group(1)
        if t in vars_:
            return str(vars_[t])
        if t == "n":
            COUNTER["n"] = COUNTER.get("n", int(time.time() * 10) % 10**9 * 100) + 1
            return str(COUNTER["n"])
        if t.startswith("of:"):
            return random.choice(vars_[t[3:]])
        if t.startswith("next:"):  # each once; the last again and again when there are no more
            have = vars_[t[5:]]
            return have.pop() if len(have) > 1 else have[0]
        if t.startswith("id:"):
            a, b = t[3:].split("-")
            return str(random.randint(int(a), int(b)))
        if t.startswith("seq:"):
            COUNTER[t] = COUNTER.get(t, int(t[4:]) - 1) + 1
            return str(COUNTER[t])
        return m.group(0)
    if isinstance(x, str):
        for _ in range(2):
            x = re.sub(r"\{([A-Za-z_][\w:\-]*)\}", sub, x)
        return x
    if isinstance(x, dict):
        return {k: fill(v, vars_) for k, v in x.items()}
    if isinstance(x, list):
        return [fill(v, vars_) for v in x]
    return x


def pct(v, p):
    return v[min(len(v) - 1, int(len(v) * p))]


async def run(t, conns, seconds, vars_, rec=None):
    """One timed run of target t. Returns a dict of figures."""
    warm = t.get("warm", 1)
    rec = fill(t.get("login", rec), vars_)
    method = t.get("method", "POST" if ("data" in t or "json" in t) else "GET").upper()
    ok_status = set(t.get("status", [200] if method == "GET" else [200, 201, 204, 302, 303]))
    expect = re.compile(fill(t["expect"], vars_).encode()) if t.get("expect") else None
    reject = re.compile(t["reject"].encode()) if t.get("reject") else None
    seconds = min(seconds, 60)
    cap = t.get("max_requests", 200_000)
    lat, errors, statuses, nbytes = [], [], {}, 0
    cs = [Conn() for _ in range(conns)]
    for i, c in enumerate(cs):  # one session a connection, kept from run to run
        key = (json.dumps(rec, sort_keys=True), i)
        if key in SESSIONS:
            c.cookies, c.auth = SESSIONS[key]
        else:
            await login(c, rec)
            c.close()
            SESSIONS[key] = (c.cookies, c.auth)

    async def one(c, extra, record=True):
        nonlocal nbytes
        t0 = time.perf_counter()
        # {id:..}/{seq:..} used in url, prefetch and data must agree within a request
        v = dict(vars_)
        if "pick" in t:
            v["pick"] = fill(t["pick"], vars_)
        try:
            if t.get("prefetch_each"):
                s, _, page = await c.request("GET", fill(t["prefetch"], v))
                extra = hidden_inputs(page)
            headers, body = dict(fill(t.get("headers", {}), v)), None
            if "data" in t:
                body = urlencode({**extra, **fill(t["data"], v)}, doseq=True).encode()
                headers = {**FORM, "Referer": fill(t.get("prefetch", t["url"]), v), **headers}
            elif "json" in t:
                body = json.dumps(fill(t["json"], v)).encode()
                headers = {"Content-Type": "application/json", **headers}
            go = c.follow if t.get("follow") else c.request
            s, hd, data = await go(method, fill(t["url"], v), body, headers)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError) as e:
            c.close()
            errors.append(repr(e)[:200])
            return
        if not record:
            return
        d = time.perf_counter() - t0
        statuses[s] = statuses.get(s, 0) + 1
        nbytes += len(data)
        hay = data + b"\nLocation: " + hd.get(b"location", b"")
        if s not in ok_status or (expect and not expect.search(hay)) or (reject and reject.search(hay)):
            errors.append(f"status {s}: " + (hd.get(b"location", b"").decode() or
                          re.sub(r"\s+", " ", data[:4000].decode("utf8", "replace"))[-300:]))
        else:
            lat.append(d)

    async def loop(c):
        extra = {}
        if "prefetch" in t and not t.get("prefetch_each"):
            _, _, page = await c.follow("GET", fill(t["prefetch"], vars_))
            extra = hidden_inputs(page)
        for _ in range(warm):
            await one(c, extra, record=False)
        await ready()
        while time.perf_counter() < state["end"] and len(lat) + len(errors) < cap:
            await one(c, extra)

    state, ev = {"left": conns}, asyncio.Event()

    async def ready():  # all connections start the clock together
        state["left"] -= 1
        if state["left"] == 0:
            errors.clear()
            state["start"] = time.perf_counter()
            state["end"] = state["start"] + seconds
            ev.set()
        await ev.wait()

    await asyncio.gather(*(loop(c) for c in cs))
    took = time.perf_counter() - state["start"]
    for c in cs:
        c.close()
    lat.sort()
    res = {"name": t.get("name", t["url"]), "connections": conns, "seconds": round(took, 2), "ok": len(lat),
           "errors": len(errors), "rps": round(len(lat) / took, 2), "status": statuses,
           "bytes_avg": nbytes // max(1, len(lat) + len(errors))}
    if lat:
        res.update({k: round(pct(lat, p) * 1000, 2) for k, p in (("p50_ms", .5), ("p95_ms", .95), ("p99_ms", .99))},
                   max_ms=round(lat[-1] * 1000, 2))
    if errors:
        res["first_error"] = errors[0]
    return res


def summary(rows, refs):
    """Rows of one target and connection count, with the reference run just before each."""
    g = lambda k: [r[k] for r in rows if k in r]
    out = {"name": rows[0]["name"], "connections": rows[0]["connections"], "rounds": len(rows),
           "rps_min": min(g("rps")), "rps_median": round(statistics.median(g("rps")), 2), "rps_max": max(g("rps")),
           "errors": sum(g("errors")), "bytes_avg": rows[-1]["bytes_avg"]}
    if g("p50_ms"):
        for k in ("p50_ms", "p95_ms"):
            out[k] = round(statistics.median(g(k)), 2)
            out[k.replace("_ms", "_min_ms")] = min(g(k))
    if refs:
        q = [r["rps"] / f for r, f in zip(rows, refs) if f]
        out["ref_rps_median"] = round(statistics.median(refs), 1)
        out["ratio_to_ref"] = round(statistics.median(q), 5)
    bad = [r["first_error"] for r in rows if "first_error" in r]
    if bad:
        out["first_error"] = bad[0]
    return out


async def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--url"); ap.add_argument("--method"); ap.add_argument("--data", help="JSON object of form fields")
    ap.add_argument("--json", help="JSON body"); ap.add_argument("--login", help="JSON recipe")
    ap.add_argument("--header", action="append", default=[]); ap.add_argument("--prefetch")
    ap.add_argument("--prefetch-each", action="store_true"); ap.add_argument("--expect"); ap.add_argument("--reject")
    ap.add_argument("--status", help="comma list"); ap.add_argument("--scenario", action="append", default=[])
    ap.add_argument("--only", help="regex on target names"); ap.add_argument("--var", action="append", default=[])
    ap.add_argument("--connections", default="1"); ap.add_argument("--seconds", type=float, default=5)
    ap.add_argument("--rounds", type=int, default=1); ap.add_argument("--ref"); ap.add_argument("--ref-seconds", type=float, default=1.5)
    ap.add_argument("--raw", action="store_true", help="also every single run")
    a = ap.parse_args()
    jobs = []
    cli_vars = dict(v.split("=", 1) for v in a.var)
    for f in a.scenario:
        sc = json.load(open(f))
        jobs += [(t, {**sc.get("vars", {}), **cli_vars}, sc.get("login")) for t in sc["targets"]
                 if not a.only or re.search(a.only, t["name"])]
    if a.url:
        t = {"url": a.url, "name": a.url}
        for k in ("method", "prefetch", "expect", "reject"):
            if getattr(a, k):
                t[k] = getattr(a, k)
        for k in ("data", "json"):
            if getattr(a, k):
                t[k] = json.loads(getattr(a, k))
        if a.prefetch_each:
            t["prefetch_each"] = True
        if a.status:
            t["status"] = [int(x) for x in a.status.split(",")]
        if a.header:
            t["headers"] = dict(h.split(": ", 1) for h in a.header)
        jobs.append((t, cli_vars, json.loads(a.login) if a.login else None))
    conns = [int(x) for x in a.connections.split(",")]
    acc, refs, raw = {}, {}, []
    for rnd in range(a.rounds):
        for i, (t, vars_, rec) in enumerate(jobs):
            for n in t.get("connections", conns):
                if a.ref:
                    rr = await run({"url": a.ref, "name": "ref"}, 8, a.ref_seconds, {})
                    refs.setdefault((i, n), []).append(rr["rps"])
                r = await run(t, n, a.seconds, vars_, rec)
                r["round"] = rnd
                acc.setdefault((i, n), []).append(r)
                raw.append(r)
                print(f"[{rnd}] {r['name']} c={n} rps={r['rps']} p50={r.get('p50_ms')} p95={r.get('p95_ms')} "
                      f"err={r['errors']} {r.get('first_error', '')[:160]}", file=sys.stderr, flush=True)
    out = {"when": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "cpus": os.cpu_count(), "load1": os.getloadavg()[0],
           "results": [summary(v, refs.get(k)) for k, v in acc.items()]}
    if a.raw:
        out["raw"] = raw
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    asyncio.run(main())

