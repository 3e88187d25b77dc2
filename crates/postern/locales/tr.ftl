# The mails

signin-code-subject = { $code } – { $app } giriş kodunuz
signup-code-subject = { $code } – { $app } kayıt kodunuz
signin-link-subject = { $app }: giriş bağlantınız
signup-link-subject = { $app }: hesabınızı oluşturun
signin-heading = { $app } – Giriş yapın
signup-heading = { $app } – Hoş geldiniz
hello = Merhaba { $name },
signin-code-line = { $code } – { $app } giriş kodunuz. { $within } ve yalnızca bir kez kullanılabilir.
signup-code-line = { $code } – { $app } hesabınızı oluşturma kodunuz. { $within } ve yalnızca bir kez kullanılabilir.
preview-code = Kodunuz: { $code }. { $within } ve yalnızca bir kez kullanılabilir.
preview-link = Bağlantınız { $within } ve yalnızca bir kez kullanılabilir.
signin-code-lead = { $app } hesabınıza giriş yapmak için bu kodu girin:
signup-code-lead = { $app } hesabınızı oluşturmak için bu kodu girin:
signin-link-lead = { $app } hesabınıza giriş yapmak için düğmeye basın:
signup-link-lead = { $app } hesabınızı oluşturmak için düğmeye basın:
signin-open-lead = { $app } hesabınıza giriş yapmak için bu bağlantıyı açın:
signup-open-lead = { $app } hesabınızı oluşturmak için bu bağlantıyı açın:
enter-code = Kodu, istediğiniz yere girin.
or-button = Ya da bunun yerine bu düğmeyi kullanın:
or-link = Ya da bunun yerine bu bağlantıyı açın:
or-address = Ya da bu adresi açın:
signin-button = Giriş yap
signup-button = Hesap oluştur
works-once = { $within } ve yalnızca bir kez kullanılabilir.
both-once = Her ikisi de { $within } ve yalnızca bir kez kullanılabilir; biri kullanılınca diğeri geçersiz olur.
asked = Bu e-posta { $asker } üzerinden { $when } tarihinde { $email } için istendi.
warning-code = Bunu siz istemediyseniz bu e-postayı dikkate almayın ve kodu kimseyle paylaşmayın: kod olmadan hiçbir şey olmaz.
warning-link = Bunu siz istemediyseniz bu e-postayı dikkate almayın: bağlantı açılmadıkça hiçbir şey olmaz.
warning-both = Bunu siz istemediyseniz bu e-postayı dikkate almayın, hiçbir şeyi açmayın ve kodu kimseyle paylaşmayın: bunlar olmadan hiçbir şey olmaz.
help = Sorunuz mu var? { $support } adresine yazın.

# Times

span-seconds = { $n ->
    [one] { $n } saniye
   *[other] { $n } saniye
}
span-minutes = { $n ->
    [one] { $n } dakika
   *[other] { $n } dakika
}
span-hours = { $n ->
    [one] { $n } saat
   *[other] { $n } saat
}
within-seconds = { $n ->
    [one] { $n } saniye içinde
   *[other] { $n } saniye içinde
}
within-minutes = { $n ->
    [one] { $n } dakika içinde
   *[other] { $n } dakika içinde
}
within-hours = { $n ->
    [one] { $n } saat içinde
   *[other] { $n } saat içinde
}
month = { $n ->
    [1] Ocak
    [2] Şubat
    [3] Mart
    [4] Nisan
    [5] Mayıs
    [6] Haziran
    [7] Temmuz
    [8] Ağustos
    [9] Eylül
    [10] Ekim
    [11] Kasım
   *[12] Aralık
}
moment = { $day } { $month } { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = { $app } – Giriş yapın
page-signup-title = { $app } – Hesabınızı oluşturun
page-lead = { $app } uygulamasına şu adresle devam ediyorsunuz:
page-signin-button = Giriş yap
page-signup-button = Hesap oluştur
page-not-you = Bunu siz istemediyseniz bu sayfayı kapatın: hiçbir şey olmadı ve olmayacak.
page-expired-title = Bu bağlantının süresi doldu
page-expired = Bağlantılar yalnızca kısa bir süre geçerlidir. { $app } uygulamasına dönün ve yeni bir e-posta isteyin.
page-used-title = Bu bağlantı zaten kullanıldı
page-used = Her bağlantı bir kez kullanılabilir. Giriş yapmadıysanız { $app } uygulamasına dönün ve yeni bir e-posta isteyin.
page-superseded-title = Daha yeni bir e-posta var
page-superseded = Yalnızca { $app } tarafından gönderilen en yeni e-posta geçerlidir. Gelen kutunuzda onu bulun ve içindeki bağlantıyı kullanın.
page-dead-title = Bu bağlantı artık geçerli değil
page-dead = Çok fazla kez yanlış kod girildi. { $app } uygulamasına dönün ve yeni bir e-posta isteyin.
page-invalid-title = Bu bağlantı çalışmıyor
page-invalid = Adresin bir kısmı eksik olabilir ya da bağlantı çok eski olabilir. E-postadan yeniden açın veya yeni bir e-posta isteyin.
page-back = { $app } uygulamasına dön
