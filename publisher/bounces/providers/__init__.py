"""What providers of mail POST when a letter came back: proven by their signature, then judged. Pure but for SNS,
whose certificate has to be fetched."""
