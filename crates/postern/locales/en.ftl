# What Postern says in its mails and on its pages. The variables:
#   $app      the app's name                $asker  the same, with the organisation if there is one
#   $code     the passcode                  $name   the person's name
#   $email    the address                   $when   when it was asked for, as `moment` writes it
#   $support  where people get help         $within `within-…` of the time that is left
#   $n        a number, for plural rules

# The mails

signin-code-subject = { $code } is your code to sign in to { $app }
signup-code-subject = { $code } is your code to join { $app }
signin-link-subject = Sign in to { $app }
signup-link-subject = Create your account at { $app }

signin-heading = Sign in to { $app }
signup-heading = Welcome to { $app }
hello = Hello { $name },

signin-code-line = { $code } is your code to sign in to { $app }. It works once, { $within }.
signup-code-line = { $code } is your code to create your account at { $app }. It works once, { $within }.
preview-code = { $code } is your code. It works once, { $within }.
preview-link = Your link works once, { $within }.

signin-code-lead = Enter this code to sign in to { $app }:
signup-code-lead = Enter this code to create your account at { $app }:
signin-link-lead = Press the button to sign in to { $app }:
signup-link-lead = Press the button to create your account at { $app }:
signin-open-lead = Open this link to sign in to { $app }:
signup-open-lead = Open this link to create your account at { $app }:
enter-code = Enter it where you asked for it.
or-button = Or use this button instead:
or-link = Or open this link instead:
or-address = Or open this address:
signin-button = Sign in
signup-button = Create account
works-once = It works once, { $within }.
both-once = Both work once, { $within }; using one ends the other.

asked = This mail was requested from { $asker } on { $when } for { $email }.
warning-code = If that was not you, ignore this mail and give the code to nobody: without it nothing happens.
warning-link = If that was not you, ignore this mail: unless the link is opened, nothing happens.
warning-both = If that was not you, ignore this mail, open nothing and give the code to nobody: without them nothing happens.
help = Questions? Write to { $support }.

# Times

span-seconds = { $n ->
    [one] { $n } second
   *[other] { $n } seconds
}
span-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
span-hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
}
within-seconds = { $n ->
    [one] within { $n } second
   *[other] within { $n } seconds
}
within-minutes = { $n ->
    [one] within { $n } minute
   *[other] within { $n } minutes
}
within-hours = { $n ->
    [one] within { $n } hour
   *[other] within { $n } hours
}
month = { $n ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}
moment = { $day } { $month } { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = Sign in to { $app }
page-signup-title = Create your account at { $app }
page-lead = You are about to continue to { $app } as:
page-signin-button = Sign in
page-signup-button = Create account
page-not-you = If you did not ask for this, close this page: nothing has happened, and nothing will.
page-expired-title = This link has expired
page-expired = Links work for a short time only. Go back to { $app } and ask for a new mail.
page-used-title = This link was already used
page-used = Each link works once. If you are not signed in, go back to { $app } and ask for a new mail.
page-superseded-title = There is a newer mail
page-superseded = Only the newest mail from { $app } works. Look for it in your inbox and use the link in it.
page-dead-title = This link no longer works
page-dead = Wrong codes were entered too often. Go back to { $app } and ask for a new mail.
page-invalid-title = This link does not work
page-invalid = Part of its address may be missing, or it is too old. Open it again from the mail, or ask for a new mail.
page-back = Back to { $app }
