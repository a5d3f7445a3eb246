"""What does the plugin do around each attempt of an activity: its span, its ledger, what happens inside?"""
