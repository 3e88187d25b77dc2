# The mails

signin-code-subject = { $code } est votre code de connexion à { $app }
signup-code-subject = { $code } est votre code d’inscription à { $app }
signin-link-subject = Connexion à { $app }
signup-link-subject = Créez votre compte { $app }
signin-heading = Connexion à { $app }
signup-heading = Bienvenue sur { $app }
hello = Bonjour { $name },
signin-code-line = { $code } est votre code de connexion à { $app }. Il est valable une seule fois, { $within }.
signup-code-line = { $code } est votre code pour créer votre compte { $app }. Il est valable une seule fois, { $within }.
preview-code = { $code } est votre code. Il est valable une seule fois, { $within }.
preview-link = Votre lien est valable une seule fois, { $within }.
signin-code-lead = Saisissez ce code pour vous connecter à { $app } :
signup-code-lead = Saisissez ce code pour créer votre compte { $app } :
signin-link-lead = Cliquez sur le bouton pour vous connecter à { $app } :
signup-link-lead = Cliquez sur le bouton pour créer votre compte { $app } :
signin-open-lead = Ouvrez ce lien pour vous connecter à { $app } :
signup-open-lead = Ouvrez ce lien pour créer votre compte { $app } :
enter-code = Saisissez-le là où vous l’avez demandé.
or-button = Ou utilisez plutôt ce bouton :
or-link = Ou ouvrez plutôt ce lien :
or-address = Ou ouvrez cette adresse :
signin-button = Se connecter
signup-button = Créer un compte
works-once = Valable une seule fois, { $within }.
both-once = Les deux sont valables une seule fois, { $within } ; utiliser l’un annule l’autre.
asked = Cet e-mail a été demandé auprès de { $asker } le { $when } pour { $email }.
warning-code = Si ce n’était pas vous, ignorez cet e-mail et ne donnez le code à personne : sans lui, il ne se passera rien.
warning-link = Si ce n’était pas vous, ignorez cet e-mail : tant que le lien n’est pas ouvert, il ne se passera rien.
warning-both = Si ce n’était pas vous, ignorez cet e-mail, n’ouvrez rien et ne donnez le code à personne : sans eux, il ne se passera rien.
help = Des questions ? Écrivez à { $support }.

# Times

span-seconds = { $n ->
    [one] { $n } seconde
   *[other] { $n } secondes
}
span-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
span-hours = { $n ->
    [one] { $n } heure
   *[other] { $n } heures
}
within-seconds = { $n ->
    [one] pendant { $n } seconde
   *[other] pendant { $n } secondes
}
within-minutes = { $n ->
    [one] pendant { $n } minute
   *[other] pendant { $n } minutes
}
within-hours = { $n ->
    [one] pendant { $n } heure
   *[other] pendant { $n } heures
}
month = { $n ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
}
moment = { $day } { $month } { $year } à { $time } UTC

# The page between a mail and the app

page-signin-title = Connexion à { $app }
page-signup-title = Créez votre compte { $app }
page-lead = Vous allez continuer vers { $app } en tant que :
page-signin-button = Se connecter
page-signup-button = Créer un compte
page-not-you = Si vous n’avez rien demandé, fermez cette page : il ne s’est rien passé et il ne se passera rien.
page-expired-title = Ce lien a expiré
page-expired = Les liens ne sont valables que peu de temps. Retournez sur { $app } et demandez un nouvel e-mail.
page-used-title = Ce lien a déjà été utilisé
page-used = Chaque lien ne sert qu’une fois. Si vous n’êtes pas connecté, retournez sur { $app } et demandez un nouvel e-mail.
page-superseded-title = Il existe un e-mail plus récent
page-superseded = Seul l’e-mail le plus récent de { $app } est valable. Cherchez-le dans votre boîte de réception et utilisez son lien.
page-dead-title = Ce lien n’est plus valable
page-dead = Des codes erronés ont été saisis trop de fois. Retournez sur { $app } et demandez un nouvel e-mail.
page-invalid-title = Ce lien ne fonctionne pas
page-invalid = Il manque peut-être une partie de l’adresse, ou il est trop ancien. Ouvrez-le de nouveau depuis l’e-mail ou demandez-en un nouveau.
page-back = Retour à { $app }
