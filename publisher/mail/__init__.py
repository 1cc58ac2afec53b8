"""From the ledger to the mail server: every delivery once, and its state always known.

lifecycle.py   which status follows which event, as one table
message.py     the bytes of one message
transport.py   what takes a message, and what it may answer; outbox.py and smtp.py do
workers.py     who is alive, so that a dead worker's deliveries are taken over at once
deliver.py     claim, send, acknowledge
by_hand.py     what a person may do: hold, resume, retry, cancel
"""
