"""Memory: the typed graph, recall and working memory. It holds no tables yet."""
