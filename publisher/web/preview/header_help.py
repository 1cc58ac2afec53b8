"""What the headers of a message are for, in a line each."""

HEADERS = {
    "Date": "When the edition was made; the same for every reader.",
    "From": "Who writes. Its domain needs SPF, DKIM and DMARC.",
    "To": "The reader, alone.",
    "Subject": "The first thing a reader sees.",
    "Reply-To": "Where answers go.",
    "Message-ID": "The same when it is sent again, so that mailboxes can fold the two.",
    "List-Id": "By this name filters know the newsletter (RFC 2919).",
    "List-Unsubscribe": "Behind the unsubscribe button of mail programs (RFC 2369).",
    "List-Unsubscribe-Post": "One click there is enough (RFC 8058).",
    "List-Owner": "How to reach a person (RFC 2369).",
    "List-Archive": "Where earlier editions can be read (RFC 2369).",
    "Auto-Submitted": "Keeps vacation notices away (RFC 3834).",
    "MIME-Version": "Has been 1.0 since 1992.",
    "Content-Type": "Plain text and HTML, of which a program shows the one it likes better.",
    "Feedback-ID": "Groups complaints in Gmail's postmaster tools.",
}
