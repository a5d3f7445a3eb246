"""What does the plugin add to clients: headers, spans around calls, sessions?"""
