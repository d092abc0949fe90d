#!/usr/bin/env python3
"""Sync all linked users once: check a session out, ask Garmin, report. See docs/use-it.md.

Needs GARMINLINK_URL, and GARMINLINK_TOKEN with the scopes links:read and sessions:checkout. Asks Garmin through garth or
python-garminconnect, if one of them is installed, or else by plain HTTP."""
import http.client, importlib.util, json, os, time, urllib.error, urllib.parse, urllib.request

FORMAT = next(filter(importlib.util.find_spec, ["garminconnect", "garth"]), "bearer")
OUTCOMES = {401: "unauthorized", "GarminConnectAuthenticationError": "unauthorized",
            429: "rate_limited", "GarminConnectTooManyRequestsError": "rate_limited"}  # others say nothing of the session

def ask(url, token, body=None, agent="python-worker"):  # a check-out may wait for a refresh, so it has 100 seconds
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json", "User-Agent": agent}
    with urllib.request.urlopen(urllib.request.Request(url, body and json.dumps(body).encode(), headers), timeout=100) as answer:
        return json.load(answer)

def garminlink(path, body=None, patient=True):
    try:
        return ask(os.environ["GARMINLINK_URL"].rstrip("/") + "/api/v1" + path, os.environ["GARMINLINK_TOKEN"], body)
    except urllib.error.HTTPError as error:
        wait = error.headers.get("Retry-After", "")  # of 429 and 503, which mean: later
        if not patient or not wait.isdecimal() or int(wait) > 60:
            raise
        time.sleep(int(wait))
        return garminlink(path, body, patient=False)

def garmin(taken, path):  # each user has a client of his own
    if FORMAT == "garth":
        client = importlib.import_module(FORMAT).Client()
        client.loads(taken["session"])
        return client.connectapi(path, headers={})  # left out, all clients share one dict, token and all
    if FORMAT == "garminconnect":
        client = importlib.import_module(FORMAT).Garmin(is_cn=taken["domain"] == "garmin.cn")
        client.client.loads(taken["session"])
        return client.connectapi(path)
    return ask("https://connectapi." + taken["domain"] + path, taken["session"], agent="GCM-Android-5.23")

def sync(user):
    taken = garminlink(f"/links/{user}/checkout", {"format": FORMAT, "min_ttl": 900})  # for this run only: keep none of it
    try:
        outcome, found = "ok", garmin(taken, "/userprofile-service/socialProfile")["fullName"]  # your sync goes here
    except Exception as error:
        answer = getattr(getattr(error, "error", None), "response", None)  # of an error of garth's
        outcome, found = OUTCOMES.get(getattr(error, "code", getattr(answer, "status_code", type(error).__name__))), error
    if outcome:
        garminlink(f"/links/{user}/report", {"generation": taken["generation"], "outcome": outcome})
    print(user, outcome or "failed", found)

users, more = {}, ""  # all of them before the first is synced: a report moves a link to the end of the list
while more is not None:
    page = garminlink("/links?state=active" + more)
    users.update((link["user"], link) for link in page["links"])
    more = page["next_cursor"] and "&cursor=" + urllib.parse.quote(page["next_cursor"])
for user in users:
    try:
        sync(user)
    except urllib.error.HTTPError as error:  # 409: only the user can mend it, and user_message tells him how
        print(user, "must act" if error.code == 409 else "not now", error.read().decode(errors="replace").strip())
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(user, "not now", error)
