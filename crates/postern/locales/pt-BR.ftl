# The mails

signin-code-subject = { $code } é o seu código para entrar em { $app }
signup-code-subject = { $code } é o seu código para se cadastrar em { $app }
signin-link-subject = Entre em { $app }
signup-link-subject = Crie sua conta em { $app }
signin-heading = Entre em { $app }
signup-heading = Boas-vindas a { $app }
hello = Olá, { $name },
signin-code-line = { $code } é o seu código para entrar em { $app }. Ele vale uma única vez, { $within }.
signup-code-line = { $code } é o seu código para criar sua conta em { $app }. Ele vale uma única vez, { $within }.
preview-code = { $code } é o seu código. Ele vale uma única vez, { $within }.
preview-link = O seu link vale uma única vez, { $within }.
signin-code-lead = Digite este código para entrar em { $app }:
signup-code-lead = Digite este código para criar sua conta em { $app }:
signin-link-lead = Clique no botão para entrar em { $app }:
signup-link-lead = Clique no botão para criar sua conta em { $app }:
signin-open-lead = Abra este link para entrar em { $app }:
signup-open-lead = Abra este link para criar sua conta em { $app }:
enter-code = Digite-o onde você o pediu.
or-button = Ou use este botão:
or-link = Ou abra este link:
or-address = Ou abra este endereço:
signin-button = Entrar
signup-button = Criar conta
works-once = Vale uma única vez, { $within }.
both-once = Os dois valem uma única vez, { $within }; ao usar um, o outro deixa de valer.
asked = Este e-mail foi pedido a { $asker } em { $when } para { $email }.
warning-code = Se não foi você, ignore este e-mail e não passe o código a ninguém: sem ele, nada acontece.
warning-link = Se não foi você, ignore este e-mail: enquanto o link não for aberto, nada acontece.
warning-both = Se não foi você, ignore este e-mail, não abra nada e não passe o código a ninguém: sem eles, nada acontece.
help = Dúvidas? Escreva para { $support }.

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
    [one] por { $n } segundo
   *[other] por { $n } segundos
}
within-minutes = { $n ->
    [one] por { $n } minuto
   *[other] por { $n } minutos
}
within-hours = { $n ->
    [one] por { $n } hora
   *[other] por { $n } horas
}
month = { $n ->
    [1] janeiro
    [2] fevereiro
    [3] março
    [4] abril
    [5] maio
    [6] junho
    [7] julho
    [8] agosto
    [9] setembro
    [10] outubro
    [11] novembro
   *[12] dezembro
}
moment = { $day } de { $month } de { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = Entre em { $app }
page-signup-title = Crie sua conta em { $app }
page-lead = Você vai continuar em { $app } como:
page-signin-button = Entrar
page-signup-button = Criar conta
page-not-you = Se você não pediu isto, feche esta página: nada aconteceu e nada vai acontecer.
page-expired-title = Este link expirou
page-expired = Os links valem por pouco tempo. Volte a { $app } e peça um novo e-mail.
page-used-title = Este link já foi usado
page-used = Cada link vale uma única vez. Se você não entrou, volte a { $app } e peça um novo e-mail.
page-superseded-title = Há um e-mail mais recente
page-superseded = Só o e-mail mais recente de { $app } vale. Procure-o na sua caixa de entrada e use o link dele.
page-dead-title = Este link não vale mais
page-dead = Códigos errados foram digitados vezes demais. Volte a { $app } e peça um novo e-mail.
page-invalid-title = Este link não funciona
page-invalid = Pode faltar parte do endereço, ou ele é antigo demais. Abra-o de novo a partir do e-mail ou peça um novo.
page-back = Voltar a { $app }
