# The mails

signin-code-subject = { $code } es tu código para iniciar sesión en { $app }
signup-code-subject = { $code } es tu código para registrarte en { $app }
signin-link-subject = Inicia sesión en { $app }
signup-link-subject = Crea tu cuenta en { $app }
signin-heading = Inicia sesión en { $app }
signup-heading = Te damos la bienvenida a { $app }
hello = Hola, { $name }:
signin-code-line = { $code } es tu código para iniciar sesión en { $app }. Sirve una sola vez, { $within }.
signup-code-line = { $code } es tu código para crear tu cuenta en { $app }. Sirve una sola vez, { $within }.
preview-code = { $code } es tu código. Sirve una sola vez, { $within }.
preview-link = Tu enlace sirve una sola vez, { $within }.
signin-code-lead = Introduce este código para iniciar sesión en { $app }:
signup-code-lead = Introduce este código para crear tu cuenta en { $app }:
signin-link-lead = Pulsa el botón para iniciar sesión en { $app }:
signup-link-lead = Pulsa el botón para crear tu cuenta en { $app }:
signin-open-lead = Abre este enlace para iniciar sesión en { $app }:
signup-open-lead = Abre este enlace para crear tu cuenta en { $app }:
enter-code = Introdúcelo donde lo pediste.
or-button = O usa este botón:
or-link = O abre este enlace:
or-address = O abre esta dirección:
signin-button = Iniciar sesión
signup-button = Crear cuenta
works-once = Sirve una sola vez, { $within }.
both-once = Ambos sirven una sola vez, { $within }; al usar uno, el otro deja de funcionar.
asked = Este correo se pidió a { $asker } el { $when } para { $email }.
warning-code = Si no fuiste tú, ignora este correo y no des el código a nadie: sin él no ocurrirá nada.
warning-link = Si no fuiste tú, ignora este correo: mientras nadie abra el enlace, no ocurrirá nada.
warning-both = Si no fuiste tú, ignora este correo, no abras nada y no des el código a nadie: sin ellos no ocurrirá nada.
help = ¿Preguntas? Escribe a { $support }.

# Times

span-seconds = { $n ->
    [one] { $n } segundo
   *[other] { $n } segundos
}
span-minutes = { $n ->
    [one] { $n } minuto
   *[other] { $n } minutos
}
span-hours = { $n ->
    [one] { $n } hora
   *[other] { $n } horas
}
within-seconds = { $n ->
    [one] durante { $n } segundo
   *[other] durante { $n } segundos
}
within-minutes = { $n ->
    [one] durante { $n } minuto
   *[other] durante { $n } minutos
}
within-hours = { $n ->
    [one] durante { $n } hora
   *[other] durante { $n } horas
}
month = { $n ->
    [1] enero
    [2] febrero
    [3] marzo
    [4] abril
    [5] mayo
    [6] junio
    [7] julio
    [8] agosto
    [9] septiembre
    [10] octubre
    [11] noviembre
   *[12] diciembre
}
moment = { $day } de { $month } de { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = Inicia sesión en { $app }
page-signup-title = Crea tu cuenta en { $app }
page-lead = Vas a continuar en { $app } como:
page-signin-button = Iniciar sesión
page-signup-button = Crear cuenta
page-not-you = Si no lo has pedido tú, cierra esta página: no ha ocurrido nada ni ocurrirá.
page-expired-title = Este enlace ha caducado
page-expired = Los enlaces sirven solo durante poco tiempo. Vuelve a { $app } y pide un correo nuevo.
page-used-title = Este enlace ya se ha usado
page-used = Cada enlace sirve una sola vez. Si no has iniciado sesión, vuelve a { $app } y pide un correo nuevo.
page-superseded-title = Hay un correo más reciente
page-superseded = Solo sirve el correo más reciente de { $app }. Búscalo en tu bandeja de entrada y usa su enlace.
page-dead-title = Este enlace ya no sirve
page-dead = Se han introducido códigos incorrectos demasiadas veces. Vuelve a { $app } y pide un correo nuevo.
page-invalid-title = Este enlace no funciona
page-invalid = Puede que falte parte de la dirección o que sea demasiado antiguo. Ábrelo de nuevo desde el correo o pide uno nuevo.
page-back = Volver a { $app }
