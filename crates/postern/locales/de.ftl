# The mails

signin-code-subject = { $code } ist Ihr Code für die Anmeldung bei { $app }
signup-code-subject = { $code } ist Ihr Code für die Registrierung bei { $app }
signin-link-subject = Anmelden bei { $app }
signup-link-subject = Konto bei { $app } erstellen
signin-heading = Anmelden bei { $app }
signup-heading = Willkommen bei { $app }
hello = Guten Tag { $name },
signin-code-line = { $code } ist Ihr Code für die Anmeldung bei { $app }. Er gilt einmal, { $within }.
signup-code-line = { $code } ist Ihr Code, um Ihr Konto bei { $app } zu erstellen. Er gilt einmal, { $within }.
preview-code = { $code } ist Ihr Code. Er gilt einmal, { $within }.
preview-link = Ihr Link gilt einmal, { $within }.
signin-code-lead = Geben Sie diesen Code ein, um sich bei { $app } anzumelden:
signup-code-lead = Geben Sie diesen Code ein, um Ihr Konto bei { $app } zu erstellen:
signin-link-lead = Klicken Sie auf die Schaltfläche, um sich bei { $app } anzumelden:
signup-link-lead = Klicken Sie auf die Schaltfläche, um Ihr Konto bei { $app } zu erstellen:
signin-open-lead = Öffnen Sie diesen Link, um sich bei { $app } anzumelden:
signup-open-lead = Öffnen Sie diesen Link, um Ihr Konto bei { $app } zu erstellen:
enter-code = Geben Sie ihn dort ein, wo Sie ihn angefordert haben.
or-button = Oder verwenden Sie stattdessen diese Schaltfläche:
or-link = Oder öffnen Sie stattdessen diesen Link:
or-address = Oder öffnen Sie diese Adresse:
signin-button = Anmelden
signup-button = Konto erstellen
works-once = Gilt einmal, { $within }.
both-once = Beide gelten einmal, { $within }; mit der Verwendung des einen verfällt der andere.
asked = Diese E-Mail wurde am { $when } bei { $asker } für { $email } angefordert.
warning-code = Wenn Sie das nicht waren, ignorieren Sie diese E-Mail und geben Sie den Code an niemanden weiter: Ohne ihn geschieht nichts.
warning-link = Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Solange niemand den Link öffnet, geschieht nichts.
warning-both = Wenn Sie das nicht waren, ignorieren Sie diese E-Mail, öffnen Sie nichts und geben Sie den Code an niemanden weiter: Ohne beides geschieht nichts.
help = Fragen? Schreiben Sie an { $support }.

# Times

span-seconds = { $n ->
    [one] { $n } Sekunde
   *[other] { $n } Sekunden
}
span-minutes = { $n ->
    [one] { $n } Minute
   *[other] { $n } Minuten
}
span-hours = { $n ->
    [one] { $n } Stunde
   *[other] { $n } Stunden
}
within-seconds = { $n ->
    [one] innerhalb von { $n } Sekunde
   *[other] innerhalb von { $n } Sekunden
}
within-minutes = { $n ->
    [one] innerhalb von { $n } Minute
   *[other] innerhalb von { $n } Minuten
}
within-hours = { $n ->
    [one] innerhalb von { $n } Stunde
   *[other] innerhalb von { $n } Stunden
}
month = { $n ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
}
moment = { $day }. { $month } { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = Anmelden bei { $app }
page-signup-title = Konto bei { $app } erstellen
page-lead = Sie fahren bei { $app } fort als:
page-signin-button = Anmelden
page-signup-button = Konto erstellen
page-not-you = Wenn Sie das nicht angefordert haben, schließen Sie diese Seite: Es ist nichts geschehen und es wird nichts geschehen.
page-expired-title = Dieser Link ist abgelaufen
page-expired = Links gelten nur kurze Zeit. Gehen Sie zurück zu { $app } und fordern Sie eine neue E-Mail an.
page-used-title = Dieser Link wurde bereits verwendet
page-used = Jeder Link gilt einmal. Wenn Sie nicht angemeldet sind, gehen Sie zurück zu { $app } und fordern Sie eine neue E-Mail an.
page-superseded-title = Es gibt eine neuere E-Mail
page-superseded = Nur die neueste E-Mail von { $app } gilt. Suchen Sie sie in Ihrem Posteingang und verwenden Sie den Link darin.
page-dead-title = Dieser Link gilt nicht mehr
page-dead = Es wurden zu oft falsche Codes eingegeben. Gehen Sie zurück zu { $app } und fordern Sie eine neue E-Mail an.
page-invalid-title = Dieser Link funktioniert nicht
page-invalid = Vielleicht fehlt ein Teil der Adresse, oder er ist zu alt. Öffnen Sie ihn noch einmal aus der E-Mail oder fordern Sie eine neue an.
page-back = Zurück zu { $app }
