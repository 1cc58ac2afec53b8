"""The owner's page: what comes next, how the sending goes, who reads, and what to do about it."""
