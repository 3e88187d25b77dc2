# The mails

signin-code-subject = { $code } – { $app } のログインコード
signup-code-subject = { $code } – { $app } の登録コード
signin-link-subject = { $app } へのログイン
signup-link-subject = { $app } のアカウント作成
signin-heading = { $app } へのログイン
signup-heading = { $app } へようこそ
hello = { $name } 様
signin-code-line = { $code } は { $app } へのログインコードです。{ $within }に一度だけ使えます。
signup-code-line = { $code } は { $app } のアカウントを作成するためのコードです。{ $within }に一度だけ使えます。
preview-code = コードは { $code } です。{ $within }に一度だけ使えます。
preview-link = このリンクは{ $within }に一度だけ使えます。
signin-code-lead = { $app } にログインするには、このコードを入力してください。
signup-code-lead = { $app } のアカウントを作成するには、このコードを入力してください。
signin-link-lead = { $app } にログインするには、ボタンを押してください。
signup-link-lead = { $app } のアカウントを作成するには、ボタンを押してください。
signin-open-lead = { $app } にログインするには、このリンクを開いてください。
signup-open-lead = { $app } のアカウントを作成するには、このリンクを開いてください。
enter-code = コードをリクエストした画面に入力してください。
or-button = または、代わりにこのボタンを使ってください。
or-link = または、代わりにこのリンクを開いてください。
or-address = または、このアドレスを開いてください。
signin-button = ログイン
signup-button = アカウントを作成
works-once = { $within }に一度だけ使えます。
both-once = どちらも{ $within }に一度だけ使えます。一方を使うと、もう一方は無効になります。
asked = このメールは { $when } に { $asker } で { $email } 宛てにリクエストされました。
warning-code = お心当たりがない場合は、このメールを無視し、コードを誰にも教えないでください。コードがなければ何も起こりません。
warning-link = お心当たりがない場合は、このメールを無視してください。リンクを開かない限り何も起こりません。
warning-both = お心当たりがない場合は、このメールを無視し、リンクを開かず、コードを誰にも教えないでください。どちらも使わない限り何も起こりません。
help = ご質問は { $support } までお寄せください。

# Times

span-seconds = { $n ->
   *[other] { $n }秒
}
span-minutes = { $n ->
   *[other] { $n }分
}
span-hours = { $n ->
   *[other] { $n }時間
}
within-seconds = { $n ->
   *[other] { $n }秒以内
}
within-minutes = { $n ->
   *[other] { $n }分以内
}
within-hours = { $n ->
   *[other] { $n }時間以内
}
month = { $n ->
    [1] 1月
    [2] 2月
    [3] 3月
    [4] 4月
    [5] 5月
    [6] 6月
    [7] 7月
    [8] 8月
    [9] 9月
    [10] 10月
    [11] 11月
   *[12] 12月
}
moment = { $year }年{ $month }{ $day }日 { $time } UTC

# The page between a mail and the app

page-signin-title = { $app } へのログイン
page-signup-title = { $app } のアカウント作成
page-lead = 次のアドレスで { $app } に進みます:
page-signin-button = ログイン
page-signup-button = アカウントを作成
page-not-you = お心当たりがない場合は、このページを閉じてください。何も起きておらず、これからも起こりません。
page-expired-title = このリンクは期限切れです
page-expired = リンクが使えるのは短い時間だけです。{ $app } に戻り、新しいメールをリクエストしてください。
page-used-title = このリンクは使用済みです
page-used = リンクは一度だけ使えます。ログインできていない場合は、{ $app } に戻り、新しいメールをリクエストしてください。
page-superseded-title = より新しいメールがあります
page-superseded = 使えるのは { $app } からの最新のメールだけです。受信トレイで最新のメールを探し、そのリンクを使ってください。
page-dead-title = このリンクは使えなくなりました
page-dead = 誤ったコードが何度も入力されました。{ $app } に戻り、新しいメールをリクエストしてください。
page-invalid-title = このリンクは使えません
page-invalid = アドレスの一部が欠けているか、リンクが古すぎる可能性があります。メールからもう一度開くか、新しいメールをリクエストしてください。
page-back = { $app } に戻る
