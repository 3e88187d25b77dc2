# The mails

signin-code-subject = { $code } to Twój kod logowania do { $app }
signup-code-subject = { $code } to Twój kod rejestracji w { $app }
signin-link-subject = Zaloguj się do { $app }
signup-link-subject = Załóż konto w { $app }
signin-heading = Zaloguj się do { $app }
signup-heading = Witamy w { $app }
hello = Dzień dobry, { $name },
signin-code-line = { $code } to Twój kod logowania do { $app }. Działa jeden raz, { $within }.
signup-code-line = { $code } to Twój kod do założenia konta w { $app }. Działa jeden raz, { $within }.
preview-code = { $code } to Twój kod. Działa jeden raz, { $within }.
preview-link = Twój link działa jeden raz, { $within }.
signin-code-lead = Wpisz ten kod, aby zalogować się do { $app }:
signup-code-lead = Wpisz ten kod, aby założyć konto w { $app }:
signin-link-lead = Naciśnij przycisk, aby zalogować się do { $app }:
signup-link-lead = Naciśnij przycisk, aby założyć konto w { $app }:
signin-open-lead = Otwórz ten link, aby zalogować się do { $app }:
signup-open-lead = Otwórz ten link, aby założyć konto w { $app }:
enter-code = Wpisz go tam, gdzie o niego prosisz.
or-button = Albo użyj tego przycisku:
or-link = Albo otwórz ten link:
or-address = Albo otwórz ten adres:
signin-button = Zaloguj się
signup-button = Załóż konto
works-once = Działa jeden raz, { $within }.
both-once = Oba działają jeden raz, { $within }; użycie jednego unieważnia drugi.
asked = O tę wiadomość poproszono w { $asker }: { $when }, dla adresu { $email }.
warning-code = Jeśli to nie Ty, zignoruj tę wiadomość i nikomu nie podawaj kodu: bez niego nic się nie stanie.
warning-link = Jeśli to nie Ty, zignoruj tę wiadomość: dopóki nikt nie otworzy linku, nic się nie stanie.
warning-both = Jeśli to nie Ty, zignoruj tę wiadomość, niczego nie otwieraj i nikomu nie podawaj kodu: bez nich nic się nie stanie.
help = Pytania? Napisz na adres { $support }.

# Times

span-seconds = { $n ->
    [one] { $n } sekunda
    [few] { $n } sekundy
   *[other] { $n } sekund
}
span-minutes = { $n ->
    [one] { $n } minuta
    [few] { $n } minuty
   *[other] { $n } minut
}
span-hours = { $n ->
    [one] { $n } godzina
    [few] { $n } godziny
   *[other] { $n } godzin
}
within-seconds = { $n ->
    [one] w ciągu { $n } sekundy
   *[other] w ciągu { $n } sekund
}
within-minutes = { $n ->
    [one] w ciągu { $n } minuty
   *[other] w ciągu { $n } minut
}
within-hours = { $n ->
    [one] w ciągu { $n } godziny
   *[other] w ciągu { $n } godzin
}
month = { $n ->
    [1] stycznia
    [2] lutego
    [3] marca
    [4] kwietnia
    [5] maja
    [6] czerwca
    [7] lipca
    [8] sierpnia
    [9] września
    [10] października
    [11] listopada
   *[12] grudnia
}
moment = { $day } { $month } { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = Zaloguj się do { $app }
page-signup-title = Załóż konto w { $app }
page-lead = Przechodzisz do { $app } jako:
page-signin-button = Zaloguj się
page-signup-button = Załóż konto
page-not-you = Jeśli to nie Ty o to prosisz, zamknij tę stronę: nic się nie stało i nic się nie stanie.
page-expired-title = Ten link wygasł
page-expired = Linki działają tylko przez krótki czas. Wróć do { $app } i poproś o nową wiadomość.
page-used-title = Ten link został już użyty
page-used = Każdy link działa jeden raz. Jeśli nie udało się zalogować, wróć do { $app } i poproś o nową wiadomość.
page-superseded-title = Jest nowsza wiadomość
page-superseded = Działa tylko najnowsza wiadomość z { $app }. Znajdź ją w skrzynce odbiorczej i użyj linku, który zawiera.
page-dead-title = Ten link już nie działa
page-dead = Zbyt wiele razy wpisano błędny kod. Wróć do { $app } i poproś o nową wiadomość.
page-invalid-title = Ten link nie działa
page-invalid = Być może brakuje części adresu albo link jest zbyt stary. Otwórz go ponownie z wiadomości lub poproś o nową.
page-back = Wróć do { $app }
