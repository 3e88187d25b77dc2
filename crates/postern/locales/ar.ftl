# The mails

signin-code-subject = { $code } هو رمز تسجيل الدخول إلى { $app }
signup-code-subject = { $code } هو رمز إنشاء حسابك في { $app }
signin-link-subject = تسجيل الدخول إلى { $app }
signup-link-subject = أنشئ حسابك في { $app }
signin-heading = تسجيل الدخول إلى { $app }
signup-heading = مرحبًا بك في { $app }
hello = مرحبًا { $name }،
signin-code-line = { $code } هو رمز تسجيل الدخول إلى { $app }. يعمل مرة واحدة فقط، { $within }.
signup-code-line = { $code } هو رمز إنشاء حسابك في { $app }. يعمل مرة واحدة فقط، { $within }.
preview-code = رمزك هو { $code }. يعمل مرة واحدة فقط، { $within }.
preview-link = يعمل رابطك مرة واحدة فقط، { $within }.
signin-code-lead = أدخل هذا الرمز لتسجيل الدخول إلى { $app }:
signup-code-lead = أدخل هذا الرمز لإنشاء حسابك في { $app }:
signin-link-lead = اضغط على الزر لتسجيل الدخول إلى { $app }:
signup-link-lead = اضغط على الزر لإنشاء حسابك في { $app }:
signin-open-lead = افتح هذا الرابط لتسجيل الدخول إلى { $app }:
signup-open-lead = افتح هذا الرابط لإنشاء حسابك في { $app }:
enter-code = أدخله في المكان الذي طلبته منه.
or-button = أو استخدم هذا الزر بدلًا من ذلك:
or-link = أو افتح هذا الرابط بدلًا من ذلك:
or-address = أو افتح هذا العنوان:
signin-button = تسجيل الدخول
signup-button = إنشاء حساب
works-once = يعمل مرة واحدة فقط، { $within }.
both-once = يعمل كلاهما مرة واحدة فقط، { $within }؛ واستخدام أحدهما يُلغي الآخر.
asked = طُلبت هذه الرسالة من { $asker } في { $when } للعنوان { $email }.
warning-code = إذا لم تكن أنت من طلبها، فتجاهل هذه الرسالة ولا تُعطِ الرمز لأحد: فبدونه لن يحدث شيء.
warning-link = إذا لم تكن أنت من طلبها، فتجاهل هذه الرسالة: ما لم يُفتح الرابط فلن يحدث شيء.
warning-both = إذا لم تكن أنت من طلبها، فتجاهل هذه الرسالة ولا تفتح شيئًا ولا تُعطِ الرمز لأحد: فبدونهما لن يحدث شيء.
help = هل لديك أسئلة؟ اكتب إلى { $support }.

# Times

span-seconds = { $n ->
    [zero] { $n } ثانية
    [one] ثانية واحدة
    [two] ثانيتان
    [few] { $n } ثوانٍ
    [many] { $n } ثانية
   *[other] { $n } ثانية
}
span-minutes = { $n ->
    [zero] { $n } دقيقة
    [one] دقيقة واحدة
    [two] دقيقتان
    [few] { $n } دقائق
    [many] { $n } دقيقة
   *[other] { $n } دقيقة
}
span-hours = { $n ->
    [zero] { $n } ساعة
    [one] ساعة واحدة
    [two] ساعتان
    [few] { $n } ساعات
    [many] { $n } ساعة
   *[other] { $n } ساعة
}
within-seconds = { $n ->
    [zero] خلال { $n } ثانية
    [one] خلال ثانية واحدة
    [two] خلال ثانيتين
    [few] خلال { $n } ثوانٍ
    [many] خلال { $n } ثانية
   *[other] خلال { $n } ثانية
}
within-minutes = { $n ->
    [zero] خلال { $n } دقيقة
    [one] خلال دقيقة واحدة
    [two] خلال دقيقتين
    [few] خلال { $n } دقائق
    [many] خلال { $n } دقيقة
   *[other] خلال { $n } دقيقة
}
within-hours = { $n ->
    [zero] خلال { $n } ساعة
    [one] خلال ساعة واحدة
    [two] خلال ساعتين
    [few] خلال { $n } ساعات
    [many] خلال { $n } ساعة
   *[other] خلال { $n } ساعة
}
month = { $n ->
    [1] يناير
    [2] فبراير
    [3] مارس
    [4] أبريل
    [5] مايو
    [6] يونيو
    [7] يوليو
    [8] أغسطس
    [9] سبتمبر
    [10] أكتوبر
    [11] نوفمبر
   *[12] ديسمبر
}
moment = { $day } { $month } { $year }، { $time } UTC

# The page between a mail and the app

page-signin-title = تسجيل الدخول إلى { $app }
page-signup-title = أنشئ حسابك في { $app }
page-lead = أنت على وشك المتابعة إلى { $app } بالعنوان:
page-signin-button = تسجيل الدخول
page-signup-button = إنشاء حساب
page-not-you = إذا لم تطلب ذلك، فأغلق هذه الصفحة: لم يحدث شيء ولن يحدث شيء.
page-expired-title = انتهت صلاحية هذا الرابط
page-expired = تعمل الروابط لمدة قصيرة فقط. ارجع إلى { $app } واطلب رسالة جديدة.
page-used-title = استُخدم هذا الرابط من قبل
page-used = يعمل كل رابط مرة واحدة. إذا لم تكن قد سجّلت الدخول، فارجع إلى { $app } واطلب رسالة جديدة.
page-superseded-title = توجد رسالة أحدث
page-superseded = لا تعمل إلا أحدث رسالة من { $app }. ابحث عنها في صندوق الوارد واستخدم الرابط الذي فيها.
page-dead-title = لم يعد هذا الرابط صالحًا
page-dead = أُدخلت رموز خاطئة مرات كثيرة. ارجع إلى { $app } واطلب رسالة جديدة.
page-invalid-title = هذا الرابط لا يعمل
page-invalid = ربما ينقص جزء من العنوان، أو أن الرابط قديم جدًا. افتحه مرة أخرى من الرسالة أو اطلب رسالة جديدة.
page-back = العودة إلى { $app }
