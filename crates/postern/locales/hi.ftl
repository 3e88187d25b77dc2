# The mails

signin-code-subject = { $code } – { $app } में साइन इन करने के लिए आपका कोड
signup-code-subject = { $code } – { $app } से जुड़ने के लिए आपका कोड
signin-link-subject = { $app } में साइन इन करें
signup-link-subject = { $app } पर अपना खाता बनाएँ
signin-heading = { $app } में साइन इन करें
signup-heading = { $app } में आपका स्वागत है
hello = नमस्ते { $name },
signin-code-line = { $code } – { $app } में साइन इन करने के लिए आपका कोड। यह { $within } केवल एक बार काम करेगा।
signup-code-line = { $code } – { $app } पर खाता बनाने के लिए आपका कोड। यह { $within } केवल एक बार काम करेगा।
preview-code = आपका कोड { $code } है। यह { $within } केवल एक बार काम करेगा।
preview-link = आपका लिंक { $within } केवल एक बार काम करेगा।
signin-code-lead = { $app } में साइन इन करने के लिए यह कोड डालें:
signup-code-lead = { $app } पर अपना खाता बनाने के लिए यह कोड डालें:
signin-link-lead = { $app } में साइन इन करने के लिए बटन दबाएँ:
signup-link-lead = { $app } पर अपना खाता बनाने के लिए बटन दबाएँ:
signin-open-lead = { $app } में साइन इन करने के लिए यह लिंक खोलें:
signup-open-lead = { $app } पर अपना खाता बनाने के लिए यह लिंक खोलें:
enter-code = इसे वहीं डालें जहाँ आपने इसका अनुरोध किया था।
or-button = या इसके बजाय यह बटन इस्तेमाल करें:
or-link = या इसके बजाय यह लिंक खोलें:
or-address = या यह पता खोलें:
signin-button = साइन इन करें
signup-button = खाता बनाएँ
works-once = यह { $within } केवल एक बार काम करेगा।
both-once = दोनों { $within } केवल एक बार काम करेंगे; एक का उपयोग करते ही दूसरा बेकार हो जाएगा।
asked = इस मेल का अनुरोध { $asker } पर { $when } को { $email } के लिए किया गया था।
warning-code = अगर यह आपने नहीं किया, तो इस मेल को अनदेखा करें और कोड किसी को न बताएँ: उसके बिना कुछ नहीं होगा।
warning-link = अगर यह आपने नहीं किया, तो इस मेल को अनदेखा करें: जब तक लिंक नहीं खोला जाता, कुछ नहीं होगा।
warning-both = अगर यह आपने नहीं किया, तो इस मेल को अनदेखा करें, कुछ न खोलें और कोड किसी को न बताएँ: उनके बिना कुछ नहीं होगा।
help = कोई सवाल है? { $support } पर लिखें।

# Times

span-seconds = { $n ->
    [one] { $n } सेकंड
   *[other] { $n } सेकंड
}
span-minutes = { $n ->
    [one] { $n } मिनट
   *[other] { $n } मिनट
}
span-hours = { $n ->
    [one] { $n } घंटा
   *[other] { $n } घंटे
}
within-seconds = { $n ->
    [one] { $n } सेकंड के भीतर
   *[other] { $n } सेकंड के भीतर
}
within-minutes = { $n ->
    [one] { $n } मिनट के भीतर
   *[other] { $n } मिनट के भीतर
}
within-hours = { $n ->
    [one] { $n } घंटे के भीतर
   *[other] { $n } घंटों के भीतर
}
month = { $n ->
    [1] जनवरी
    [2] फ़रवरी
    [3] मार्च
    [4] अप्रैल
    [5] मई
    [6] जून
    [7] जुलाई
    [8] अगस्त
    [9] सितंबर
    [10] अक्तूबर
    [11] नवंबर
   *[12] दिसंबर
}
moment = { $day } { $month } { $year }, { $time } UTC

# The page between a mail and the app

page-signin-title = { $app } में साइन इन करें
page-signup-title = { $app } पर अपना खाता बनाएँ
page-lead = आप इस पते से { $app } पर आगे बढ़ रहे हैं:
page-signin-button = साइन इन करें
page-signup-button = खाता बनाएँ
page-not-you = अगर आपने इसका अनुरोध नहीं किया, तो यह पेज बंद कर दें: कुछ नहीं हुआ है और कुछ नहीं होगा।
page-expired-title = इस लिंक की समय-सीमा समाप्त हो गई है
page-expired = लिंक केवल थोड़े समय के लिए काम करते हैं। { $app } पर वापस जाएँ और नए मेल का अनुरोध करें।
page-used-title = यह लिंक पहले ही इस्तेमाल हो चुका है
page-used = हर लिंक एक बार काम करता है। अगर आप साइन इन नहीं हैं, तो { $app } पर वापस जाएँ और नए मेल का अनुरोध करें।
page-superseded-title = एक नया मेल मौजूद है
page-superseded = { $app } का केवल सबसे नया मेल काम करता है। उसे अपने इनबॉक्स में ढूँढें और उसमें दिया लिंक इस्तेमाल करें।
page-dead-title = यह लिंक अब काम नहीं करता
page-dead = गलत कोड बहुत बार डाले गए। { $app } पर वापस जाएँ और नए मेल का अनुरोध करें।
page-invalid-title = यह लिंक काम नहीं कर रहा
page-invalid = हो सकता है पते का कोई हिस्सा छूट गया हो, या यह बहुत पुराना हो। इसे मेल से फिर खोलें या नए मेल का अनुरोध करें।
page-back = { $app } पर वापस जाएँ
