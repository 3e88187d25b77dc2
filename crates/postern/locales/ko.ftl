# The mails

signin-code-subject = { $code } – { $app } 로그인 코드
signup-code-subject = { $code } – { $app } 가입 코드
signin-link-subject = { $app } 로그인
signup-link-subject = { $app } 계정 만들기
signin-heading = { $app } 로그인
signup-heading = { $app } 가입을 환영합니다
hello = { $name } 님, 안녕하세요.
signin-code-line = { $code } – { $app } 로그인 코드입니다. { $within }에 한 번만 사용할 수 있습니다.
signup-code-line = { $code } – { $app } 계정을 만들기 위한 코드입니다. { $within }에 한 번만 사용할 수 있습니다.
preview-code = 코드: { $code }. { $within }에 한 번만 사용할 수 있습니다.
preview-link = 링크는 { $within }에 한 번만 사용할 수 있습니다.
signin-code-lead = { $app }에 로그인하려면 이 코드를 입력하세요.
signup-code-lead = { $app } 계정을 만들려면 이 코드를 입력하세요.
signin-link-lead = { $app }에 로그인하려면 버튼을 누르세요.
signup-link-lead = { $app } 계정을 만들려면 버튼을 누르세요.
signin-open-lead = { $app }에 로그인하려면 이 링크를 여세요.
signup-open-lead = { $app } 계정을 만들려면 이 링크를 여세요.
enter-code = 코드를 요청한 화면에 입력하세요.
or-button = 또는 대신 이 버튼을 사용하세요.
or-link = 또는 대신 이 링크를 여세요.
or-address = 또는 이 주소를 여세요.
signin-button = 로그인
signup-button = 계정 만들기
works-once = { $within }에 한 번만 사용할 수 있습니다.
both-once = 둘 다 { $within }에 한 번만 사용할 수 있으며, 하나를 사용하면 다른 하나는 무효가 됩니다.
asked = 이 메일은 { $when }에 { $asker }에서 { $email } 주소로 요청되었습니다.
warning-code = 본인이 요청하지 않았다면 이 메일을 무시하고 코드를 누구에게도 알려 주지 마세요. 코드가 없으면 아무 일도 일어나지 않습니다.
warning-link = 본인이 요청하지 않았다면 이 메일을 무시하세요. 링크를 열지 않는 한 아무 일도 일어나지 않습니다.
warning-both = 본인이 요청하지 않았다면 이 메일을 무시하고, 아무것도 열지 말고, 코드를 누구에게도 알려 주지 마세요. 이것들이 없으면 아무 일도 일어나지 않습니다.
help = 궁금한 점이 있으면 { $support }(으)로 메일을 보내 주세요.

# Times

span-seconds = { $n ->
   *[other] { $n }초
}
span-minutes = { $n ->
   *[other] { $n }분
}
span-hours = { $n ->
   *[other] { $n }시간
}
within-seconds = { $n ->
   *[other] { $n }초 이내
}
within-minutes = { $n ->
   *[other] { $n }분 이내
}
within-hours = { $n ->
   *[other] { $n }시간 이내
}
month = { $n ->
    [1] 1월
    [2] 2월
    [3] 3월
    [4] 4월
    [5] 5월
    [6] 6월
    [7] 7월
    [8] 8월
    [9] 9월
    [10] 10월
    [11] 11월
   *[12] 12월
}
moment = { $year }년 { $month } { $day }일 { $time } UTC

# The page between a mail and the app

page-signin-title = { $app } 로그인
page-signup-title = { $app } 계정 만들기
page-lead = 다음 주소로 { $app }에 계속합니다.
page-signin-button = 로그인
page-signup-button = 계정 만들기
page-not-you = 요청하지 않았다면 이 페이지를 닫으세요. 아무 일도 일어나지 않았고 앞으로도 일어나지 않습니다.
page-expired-title = 링크가 만료되었습니다
page-expired = 링크는 짧은 시간 동안만 유효합니다. { $app }(으)로 돌아가 새 메일을 요청하세요.
page-used-title = 이미 사용된 링크입니다
page-used = 링크는 한 번만 사용할 수 있습니다. 로그인되지 않았다면 { $app }(으)로 돌아가 새 메일을 요청하세요.
page-superseded-title = 더 새로운 메일이 있습니다
page-superseded = { $app }에서 보낸 가장 최근 메일만 유효합니다. 받은 편지함에서 찾아 그 안의 링크를 사용하세요.
page-dead-title = 더 이상 사용할 수 없는 링크입니다
page-dead = 잘못된 코드가 너무 여러 번 입력되었습니다. { $app }(으)로 돌아가 새 메일을 요청하세요.
page-invalid-title = 작동하지 않는 링크입니다
page-invalid = 주소의 일부가 빠졌거나 링크가 너무 오래되었을 수 있습니다. 메일에서 다시 열거나 새 메일을 요청하세요.
page-back = { $app }(으)로 돌아가기
