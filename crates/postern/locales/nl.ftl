# The mails

signin-code-subject = { $code } is je code om in te loggen bij { $app }
signup-code-subject = { $code } is je code om je aan te melden bij { $app }
signin-link-subject = Inloggen bij { $app }
signup-link-subject = Maak je account bij { $app }
signin-heading = Inloggen bij { $app }
signup-heading = Welkom bij { $app }
hello = Hallo { $name },
signin-code-line = { $code } is je code om in te loggen bij { $app }. Hij werkt één keer, { $within }.
signup-code-line = { $code } is je code om je account bij { $app } te maken. Hij werkt één keer, { $within }.
preview-code = { $code } is je code. Hij werkt één keer, { $within }.
preview-link = Je link werkt één keer, { $within }.
signin-code-lead = Vul deze code in om in te loggen bij { $app }:
signup-code-lead = Vul deze code in om je account bij { $app } te maken:
signin-link-lead = Klik op de knop om in te loggen bij { $app }:
signup-link-lead = Klik op de knop om je account bij { $app } te maken:
signin-open-lead = Open deze link om in te loggen bij { $app }:
signup-open-lead = Open deze link om je account bij { $app } te maken:
enter-code = Vul hem in waar je erom hebt gevraagd.
or-button = Of gebruik in plaats daarvan deze knop:
or-link = Of open in plaats daarvan deze link:
or-address = Of open dit adres:
signin-button = Inloggen
signup-button = Account maken
works-once = Werkt één keer, { $within }.
both-once = Beide werken één keer, { $within }; wie de ene gebruikt, kan de andere niet meer gebruiken.
asked = Deze e-mail is op { $when } bij { $asker } aangevraagd voor { $email }.
warning-code = Was jij dat niet? Negeer deze e-mail en geef de code aan niemand: zonder de code gebeurt er niets.
warning-link = Was jij dat niet? Negeer deze e-mail: zolang niemand de link opent, gebeurt er niets.
warning-both = Was jij dat niet? Negeer deze e-mail, open niets en geef de code aan niemand: zonder deze gebeurt er niets.
help = Vragen? Schrijf naar { $support }.

# Times

span-seconds = { $n ->
    [one] { $n } seconde
   *[other] { $n } seconden
}
span-minutes = { $n ->
    [one] { $n } minuut
   *[other] { $n } minuten
}
span-hours = { $n ->
    [one] { $n } uur
   *[other] { $n } uur
}
within-seconds = { $n ->
    [one] binnen { $n } seconde
   *[other] binnen { $n } seconden
}
within-minutes = { $n ->
    [one] binnen { $n } minuut
   *[other] binnen { $n } minuten
}
within-hours = { $n ->
    [one] binnen { $n } uur
   *[other] binnen { $n } uur
}
month = { $n ->
    [1] januari
    [2] februari
    [3] maart
    [4] april
    [5] mei
    [6] juni
    [7] juli
    [8] augustus
    [9] september
    [10] oktober
    [11] november
   *[12] december
}
moment = { $day } { $month } { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = Inloggen bij { $app }
page-signup-title = Maak je account bij { $app }
page-lead = Je gaat verder naar { $app } als:
page-signin-button = Inloggen
page-signup-button = Account maken
page-not-you = Heb je hier niet om gevraagd? Sluit dan deze pagina: er is niets gebeurd en er gebeurt ook niets.
page-expired-title = Deze link is verlopen
page-expired = Links werken maar korte tijd. Ga terug naar { $app } en vraag een nieuwe e-mail aan.
page-used-title = Deze link is al gebruikt
page-used = Elke link werkt één keer. Ben je niet ingelogd? Ga terug naar { $app } en vraag een nieuwe e-mail aan.
page-superseded-title = Er is een nieuwere e-mail
page-superseded = Alleen de nieuwste e-mail van { $app } werkt. Zoek hem in je inbox en gebruik de link daarin.
page-dead-title = Deze link werkt niet meer
page-dead = Er zijn te vaak verkeerde codes ingevuld. Ga terug naar { $app } en vraag een nieuwe e-mail aan.
page-invalid-title = Deze link werkt niet
page-invalid = Misschien ontbreekt een deel van het adres, of is hij te oud. Open hem opnieuw vanuit de e-mail of vraag een nieuwe aan.
page-back = Terug naar { $app }
