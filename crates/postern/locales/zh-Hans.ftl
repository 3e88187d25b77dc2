# The mails

signin-code-subject = { $code } 是您登录 { $app } 的验证码
signup-code-subject = { $code } 是您注册 { $app } 的验证码
signin-link-subject = 登录 { $app }
signup-link-subject = 创建您的 { $app } 账户
signin-heading = 登录 { $app }
signup-heading = 欢迎使用 { $app }
hello = { $name }，您好！
signin-code-line = { $code } 是您登录 { $app } 的验证码。{ $within }有效，只能使用一次。
signup-code-line = { $code } 是您创建 { $app } 账户的验证码。{ $within }有效，只能使用一次。
preview-code = 您的验证码是 { $code }。{ $within }有效，只能使用一次。
preview-link = 您的链接{ $within }有效，只能使用一次。
signin-code-lead = 输入此验证码以登录 { $app }：
signup-code-lead = 输入此验证码以创建您的 { $app } 账户：
signin-link-lead = 点击按钮以登录 { $app }：
signup-link-lead = 点击按钮以创建您的 { $app } 账户：
signin-open-lead = 打开此链接以登录 { $app }：
signup-open-lead = 打开此链接以创建您的 { $app } 账户：
enter-code = 请在您请求验证码的页面输入。
or-button = 或者改用此按钮：
or-link = 或者改为打开此链接：
or-address = 或者打开此网址：
signin-button = 登录
signup-button = 创建账户
works-once = { $within }有效，只能使用一次。
both-once = 两者均在{ $within }有效，只能使用一次；使用其中一个后，另一个即失效。
asked = 此邮件于 { $when } 在 { $asker } 为 { $email } 请求。
warning-code = 如果不是您本人操作，请忽略此邮件，且不要将验证码告诉任何人：没有验证码，什么都不会发生。
warning-link = 如果不是您本人操作，请忽略此邮件：只要不打开链接，什么都不会发生。
warning-both = 如果不是您本人操作，请忽略此邮件，不要打开任何链接，也不要将验证码告诉任何人：没有它们，什么都不会发生。
help = 有疑问？请写信至 { $support }。

# Times

span-seconds = { $n ->
   *[other] { $n } 秒
}
span-minutes = { $n ->
   *[other] { $n } 分钟
}
span-hours = { $n ->
   *[other] { $n } 小时
}
within-seconds = { $n ->
   *[other] { $n } 秒内
}
within-minutes = { $n ->
   *[other] { $n } 分钟内
}
within-hours = { $n ->
   *[other] { $n } 小时内
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

page-signin-title = 登录 { $app }
page-signup-title = 创建您的 { $app } 账户
page-lead = 您即将以此身份继续前往 { $app }：
page-signin-button = 登录
page-signup-button = 创建账户
page-not-you = 如果您没有提出此请求，请关闭此页面：什么都没有发生，也不会发生。
page-expired-title = 此链接已过期
page-expired = 链接只在短时间内有效。请返回 { $app } 并请求一封新邮件。
page-used-title = 此链接已被使用
page-used = 每个链接只能使用一次。如果您尚未登录，请返回 { $app } 并请求一封新邮件。
page-superseded-title = 有一封更新的邮件
page-superseded = 只有 { $app } 最新的邮件有效。请在收件箱中找到它，并使用其中的链接。
page-dead-title = 此链接已失效
page-dead = 错误的验证码输入次数过多。请返回 { $app } 并请求一封新邮件。
page-invalid-title = 此链接无法使用
page-invalid = 网址可能不完整，或链接太旧。请从邮件中重新打开，或请求一封新邮件。
page-back = 返回 { $app }
