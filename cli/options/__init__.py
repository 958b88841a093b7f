"""Options that several verbs share: each with its words, its checks, and what it turns into."""
