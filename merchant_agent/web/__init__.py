"""What both programs need of the web: problems, sign-in, locale, security headers, the server itself."""
