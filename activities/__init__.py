"""The Temporal activities: write a turn to SQL, deliver mail over SMTP, launch mentorships.

Dependencies are injected. This is the only room that speaks SMTP.
"""
