# The mails

signin-code-subject = { $code } è il tuo codice per accedere a { $app }
signup-code-subject = { $code } è il tuo codice per registrarti a { $app }
signin-link-subject = Accedi a { $app }
signup-link-subject = Crea il tuo account { $app }
signin-heading = Accedi a { $app }
signup-heading = Ti diamo il benvenuto in { $app }
hello = Ciao { $name },
signin-code-line = { $code } è il tuo codice per accedere a { $app }. Vale una sola volta, { $within }.
signup-code-line = { $code } è il tuo codice per creare il tuo account { $app }. Vale una sola volta, { $within }.
preview-code = { $code } è il tuo codice. Vale una sola volta, { $within }.
preview-link = Il tuo link vale una sola volta, { $within }.
signin-code-lead = Inserisci questo codice per accedere a { $app }:
signup-code-lead = Inserisci questo codice per creare il tuo account { $app }:
signin-link-lead = Premi il pulsante per accedere a { $app }:
signup-link-lead = Premi il pulsante per creare il tuo account { $app }:
signin-open-lead = Apri questo link per accedere a { $app }:
signup-open-lead = Apri questo link per creare il tuo account { $app }:
enter-code = Inseriscilo dove lo hai richiesto.
or-button = Oppure usa questo pulsante:
or-link = Oppure apri questo link:
or-address = Oppure apri questo indirizzo:
signin-button = Accedi
signup-button = Crea account
works-once = Vale una sola volta, { $within }.
both-once = Entrambi valgono una sola volta, { $within }; usandone uno, l’altro non vale più.
asked = Questa e-mail è stata richiesta a { $asker } il { $when } per { $email }.
warning-code = Se non sei stato tu, ignora questa e-mail e non dare il codice a nessuno: senza di esso non succede nulla.
warning-link = Se non sei stato tu, ignora questa e-mail: finché il link non viene aperto, non succede nulla.
warning-both = Se non sei stato tu, ignora questa e-mail, non aprire nulla e non dare il codice a nessuno: senza di essi non succede nulla.
help = Domande? Scrivi a { $support }.

# Times

span-seconds = { $n ->
    [one] { $n } secondo
   *[other] { $n } secondi
}
span-minutes = { $n ->
    [one] { $n } minuto
   *[other] { $n } minuti
}
span-hours = { $n ->
    [one] { $n } ora
   *[other] { $n } ore
}
within-seconds = { $n ->
    [one] entro { $n } secondo
   *[other] entro { $n } secondi
}
within-minutes = { $n ->
    [one] entro { $n } minuto
   *[other] entro { $n } minuti
}
within-hours = { $n ->
    [one] entro { $n } ora
   *[other] entro { $n } ore
}
month = { $n ->
    [1] gennaio
    [2] febbraio
    [3] marzo
    [4] aprile
    [5] maggio
    [6] giugno
    [7] luglio
    [8] agosto
    [9] settembre
    [10] ottobre
    [11] novembre
   *[12] dicembre
}
moment = { $day } { $month } { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = Accedi a { $app }
page-signup-title = Crea il tuo account { $app }
page-lead = Stai per continuare su { $app } come:
page-signin-button = Accedi
page-signup-button = Crea account
page-not-you = Se non lo hai chiesto tu, chiudi questa pagina: non è successo nulla e non succederà nulla.
page-expired-title = Questo link è scaduto
page-expired = I link valgono solo per poco tempo. Torna su { $app } e richiedi una nuova e-mail.
page-used-title = Questo link è già stato usato
page-used = Ogni link vale una sola volta. Se non hai effettuato l’accesso, torna su { $app } e richiedi una nuova e-mail.
page-superseded-title = C’è un’e-mail più recente
page-superseded = Vale solo l’e-mail più recente di { $app }. Cercala nella posta in arrivo e usa il link che contiene.
page-dead-title = Questo link non vale più
page-dead = Sono stati inseriti codici errati troppe volte. Torna su { $app } e richiedi una nuova e-mail.
page-invalid-title = Questo link non funziona
page-invalid = Forse manca una parte dell’indirizzo, o il link è troppo vecchio. Riaprilo dall’e-mail o richiedine una nuova.
page-back = Torna a { $app }
