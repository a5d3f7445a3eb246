"""What each backend needs: addresses, keys, and which spans it already has."""
