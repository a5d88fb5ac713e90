"""The month on a laptop: HomeMeeting's October 2026, from the meeting servers on.

Runs the real line in a home of its own; owns the demo's accounts and price book and nothing else.
"""
