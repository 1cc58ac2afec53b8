"""The words by which files in languages other than English say who must not get email.

Each is a regular expression that matches from the beginning of a word. They are compared with text as returned by
`plain`, so case and accents do not matter. A pattern that means no recognises column names as well as values in status
columns.
"""

from __future__ import annotations

from publisher.core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language.

    pending     not confirmed yet
    left        unsubscribed, withdrew consent, or wants no email
    bounced     the mailbox accepts no email
    complained  marked an email as spam
    suppressed  must not get email
    confirmed   confirmed, in the name of a column in which "no" means that they have not
    wants       subscribed or agreed, in the name of a column in which "no" means that they must not get email
    joined      joining or subscribing, in the name of a date column
    created     being added or registered, in the name of a date column
    news        a newsletter, in the name of a column that may say whether someone gets it
    status      the name of a column that may contain statuses
    active      values that say that someone is subscribed, separated by |
    gone        further values that say that someone is not
    """

    left: str = "$^"
    pending: str = "$^"
    bounced: str = "$^"
    complained: str = "$^"
    suppressed: str = "$^"
    confirmed: str = "$^"
    wants: str = "$^"
    joined: str = "$^"
    created: str = "$^"
    news: str = "$^"
    status: str = "$^"
    active: str = ""
    gone: str = ""


LANGUAGES = {
    "German": Language(
        joined=r"anmeld(e|ung|ungs)?\w*|beitritt\w*|beigetreten|eingetragen|eintragung\w*|mitglied",
        created=r"erstell\w*|angelegt|hinzugefügt|registrier\w*|aufgenommen",
        left=r"\w*abgemeldet|\w*abmeld\w*|\w*abbestell\w*|ausgetragen|austrag\w*|widerrufen\b|widerruf\b"
        r"|widerrufs?datum"
        r"|widerspruch\b|widersprochen|gekündigt|kündigung\b|kündigungsdatum|deaktivier\w*|nicht (mehr )?angemeldet"
        r"|keine? (\w+ )?(newsletter|werbung|e ?mails?|mailings?|zusendung\w*)|zustimmung entzogen",
        pending=r"unbestätigt|(noch )?nicht bestätigt|wartet auf|ausstehend|bestätigung (ausstehend|offen)|unaktiviert",
        bounced=r"unzustellbar\w*|nicht zustellbar|rückläufer|unerreichbar|ungültige? (e ?mail|mail|adress)\w*"
        r"|(e ?mail|adresse) ungültig|ungültig\b|gebounct|hard ?bounc\w*|soft ?bounc\w*",
        complained=r"beschwerde\w*|unerwünscht\b|als spam",
        suppressed=r"gesperrt|\w*sperre\b|sperr(vermerk|liste|datum|grund|kennzeichen|ung)\w*|schwarze liste"
        r"|nicht (mehr )?(anschreiben|kontaktieren|mailen|senden|beliefern|versenden)",
        confirmed=r"bestätigt|doi\b",
        wants=r"angemeldet|abonniert|einwillig\w*|eingewilligt|zugestimmt|werbung erlaubt|darf (angeschrieben"
        r"|kontaktiert)",
        news="rundbrief|rundschreiben",
        status=r"abo\b|abonnement\b",
        active="angemeldet|bestätigt|abonniert|eingetragen|zugestimmt|zustellbar",
    ),
    "French": Language(
        joined=r"abonnement|inscription|adhésion|adhérent",
        created=r"cré(é|ée|ation)|ajout(é|ée)?|enregistré\w*",
        left=r"dés ?inscri\w*|dés ?abonn\w*|résili\w*|opposition|refus\b|refusé\w*|ne (veut|souhaite) (pas|plus)"
        r""
        r"|désactivé\w*|non (abonné|inscrit)\w*|plus (abonné|inscrit)\w*|supprimé\w*",
        pending=r"non (confirmé|validé|vérifié)\w*|pas (encore )?confirmé\w*|en attente|à confirmer"
        r"|confirmation en attente",
        bounced=r"npai\b|rebonds?\b|rejeté\w*|(adresse|e ?mail|courriel) (mail |e ?mail )?(invalide|erroné|inconnu"
        r"|incorrect)"
        r"|injoignable|non (délivr|distribu)\w*",
        complained=r"plaintes?\b|indésirable|signalé\w* comme spam",
        suppressed=r"ne (pas|plus) (contacter|envoyer|solliciter|démarcher|écrire)|liste (noire|rouge|d opposition)"
        r"|bloqué\w*",
        confirmed=r"confirmée?s?\b|validée?s?\b",
        wants=r"consent\w*|abonnée?s?\b|inscrite?s?\b|accepte\b|accord (marketing|commercial)|autorise\w*",
        news="infolettre|lettre d information|bulletin",
        status=r"abonnement\b",
        active="abonné|abonnée|inscrit|inscrite|actif|active|confirmé|confirmée",
    ),
    "Spanish": Language(
        joined=r"alta|suscripcion|inscripcion|inscrit[oa]",
        created=r"cread[oa]|creacion|agregad[oa]|añadid[oa]|registr(o|ad[oa])",
        left=r"baja\b(?! california)|dad[oa]s? de baja|fecha baja|des ?uscri\w*|des ?suscri\w*|des ?inscri\w*"
        r"|anulad[oa]"
        r"|cancelad[oa]|cancelacion|no suscrit[oa]|revocad[oa]|oposicion|desactivad[oa]|no quiere",
        pending=r"sin confirmar|no (confirmad|verificad)[oa]|pendiente\b|por confirmar",
        bounced=r"rebot\w*|(correo|e ?mail|direccion) (no valid[oa]|invalid[oa]|erroneo?a?|incorrect[oa])|no entregable"
        r"|devuelt[oa]",
        complained=r"quejas?\b|correo no deseado|marcado como spam",
        suppressed=r"no (contactar|enviar|mandar|molestar)|lista negra|bloquead[oa]|vetad[oa]",
        confirmed=r"confirmad[oa]|verificad[oa]",
        wants=r"suscrit[oa]|acepta\b|consentimiento|autoriza\w*|permiso",
        news="boletin",
        status=r"estado\b|estatus\b|suscripcion\b",
        active="suscrito|suscrita|activo|activa|confirmado|confirmada|de alta|alta",
    ),
    "Italian": Language(
        joined=r"iscri(tto|tta|zione)",
        created=r"creat[oa]|creazione|aggiunt[oa]|registra(to|ta|zione)",
        left=r"disiscri\w*|cancellat[oa]|cancellazione|disattivat[oa]|consenso (revocato|negato)|revocat[oa]"
        r"|revoca\b|disdett\w*"
        r"|opposizione|non (piu )?iscritt[oa]|inattiv[oa]|non vuole",
        pending=r"non (confermat|verificat)[oa]|in attesa|da confermare",
        bounced=r"rimbalz\w*|respint[oa]|(e ?mail|indirizzo) (non valid[oa]|errat[oa]|inesistente)|non recapit\w*",
        complained=r"reclam[oi]\b|segnalat[oa] come spam|indesiderat\w*",
        suppressed=r"non (contattare|inviare|mandare|disturbare)|lista nera|bloccat[oa]|bloccati",
        confirmed=r"confermat[oa]|verificat[oa]",
        wants=r"iscritt[oa]|consens[oi]\b|autorizza\w*|accetta\b",
        status=r"stato\b|iscrizione\b",
        active="iscritto|iscritta|attivo|attiva|confermato|confermata",
    ),
    "Dutch": Language(
        joined=r"aangemeld|aanmelding|aanmelddatum|ingeschreven|inschrijving\w*|inschrijfdatum|lid",
        created=r"aangemaakt|aanmaakdatum|toegevoegd|geregistreerd",
        left=r"uitgeschreven|uitschrijf\w*|uitschrijv\w*|afgemeld\w*|afmeld\w*|opgezegd\w*|opzeg\w*|ingetrokken"
        r"|bezwaar\b"
        r"|geen (nieuwsbrief|mails?|e ?mails?|reclame|post)|niet (meer )?ingeschreven|inactief|gedeactiveerd",
        pending=r"(nog )?niet bevestigd|onbevestigd|wacht(end)? op|in afwachting",
        bounced=r"onbestelbaar|onbezorgbaar|niet bezorgd|ongeldig (e ?mail|adres|mail)\w*|gebounce?d",
        complained=r"klacht\w*|ongewenst",
        suppressed=r"niet (mailen|benaderen|contacteren|versturen|verzenden)|zwarte lijst|geblokkeerd",
        confirmed=r"bevestigd",
        wants=r"ingeschreven|aangemeld|toestemming|akkoord",
        news="nieuwsbrief",
        status=r"inschrijving\b",
        active="ingeschreven|aangemeld|actief|bevestigd",
    ),
    "Portuguese": Language(
        joined=r"inscrit[oa]|inscricao|assinatura|adesao",
        created=r"criad[oa]|criacao|adicionad[oa]|cadastr(o|ad[oa])|registr[oa]",
        left=r"descadastr\w*|cancelad[oa]|cancelou\b|cancelamento|des ?inscri\w*|des ?inscrev\w*|removid[oa]"
        r"|revogad[oa]"
        r"|nao (inscrit|assinante)\w*|desativad[oa]|inativ[oa]|nao quer",
        pending=r"nao (confirmad|verificad)[oa]|pendente\b|aguardando|(por|a) confirmar",
        bounced=r"devolvid[oa]|rejeitad[oa]|(e ?mail|endereco) (invalid|incorret|inexistente)\w*|nao entreg\w*",
        complained=r"reclamac\w*|denuncia\w*|indesejad[oa]|marcado como spam",
        suppressed=r"nao (contatar|contactar|enviar|perturbar)|lista negra|bloquead[oa]",
        confirmed=r"confirmad[oa]|verificad[oa]",
        wants=r"inscrit[oa]|aceita\b|consentimento|autoriza\w*|assinante",
        news="boletim",
        status=r"situacao\b|estado\b|assinatura\b|inscricao\b",
        active="inscrito|inscrita|ativo|ativa|cadastrado|assinante|confirmado|confirmada",
    ),
    "Polish": Language(
        joined=r"zapisan[oay]|zapisu|zapis|dołączeni[ae]|subskrypcji",
        created=r"utworzon[oay]|utworzenia|dodan[oay]|dodania|rejestracj[ai]",
        left=r"wypis\w*|z?rezygn\w*|wycofa\w*|nieaktywn\w*|usuniet\w*|sprzeciw\b|odwolan\w*",
        pending=r"niepotwierdzon\w*|nie potwierdz\w*|oczekuj\w*",
        bounced=r"odbit\w*|niedostarcz\w*|(bledn|nieprawidlow)\w* (e ?mail|adres)",
        complained=r"skarg\w*|zgłoszon\w* jako spam",
        suppressed=r"nie (wysyłac|kontaktowac|mailowac)|czarna lista|zablokowan\w*",
        confirmed=r"potwierdzon\w*",
        wants=r"zgoda\b|zapisan\w*|subskryb\w*|aktywn\w*",
        news="biuletyn",
        active="aktywny|zapisany|potwierdzony|subskrybent",
    ),
    "Swedish, Danish and Norwegian": Language(
        joined=r"prenumerer\w*|anmäld|tilmeldt|tilmelding\w*|påmeldt|påmelding\w*|gick med",
        created=r"skapad|skapat|oprettet|oprettelses\w*|opprettet|tillagd|tilføjet|lagt til|registrer\w*",
        left=r"avregistr\w*|avprenumer\w*|avanmäl\w*|avslutad\b|afmeld\w*|frameld\w*|avmeld\w*|opsagt|oppsagt"
        r"|inaktiv\b",
        pending=r"(obekräftad|ej bekräftad|väntar på|ubekræftet|ikke bekræftet|ubekreftet|ikke bekreftet|afventer"
        r"|avventer)\w*",
        bounced=r"studs\w*|olevererbar\w*|uleverbar\w*|ugyldig (e ?mail|adresse)\w*",
        complained=r"klagomål|klage\b",
        suppressed=r"spärra\w*|spærret|sperret|blockerad|blokeret|blokkert|svartlist\w*|sortlist\w*|svartelist\w*",
        confirmed=r"bekräftad|bekræftet|bekreftet",
        wants=r"samtyck\w*|samtykke\w*|prenumerer\w*|tilmeldt\w*|påmeldt\w*",
        news="nyhetsbrev|nyhedsbrev",
        active="prenumererar|bekräftad|tilmeldt|påmeldt|aktiv",
    ),
    "Finnish": Language(
        joined=r"tila(ttu|us)|liitty\w*|tilauspäivä",
        created=r"luotu|luontipäivä|lisätty|rekisteröi\w*",
        left=r"peruut\w*|perunut|eronnut|poistunut",
        pending=r"vahvistamat\w*|odottaa\b",
        suppressed=r"estetty\w*",
        wants=r"suostumus\w*",
        news="uutiskirje",
        status=r"tila\b",
        active="tilaaja|aktiivinen",
    ),
    "Czech and Slovak": Language(
        joined=r"přihlášen\w*|prihlásen\w*|odběru|odberu",
        created=r"vytvořen\w*|vytvoren\w*|přidán\w*|pridan\w*|registrac\w*|registrovan\w*",
        left=r"odhlas\w*|zrusen\w*|odvolan\w*",
        pending=r"nepotvrzen\w*|nepotvrden\w*|ceka na",
        suppressed=r"zablokovan\w*|cerna listina|nezasilat",
        confirmed=r"potvrzen\w*|potvrden\w*",
        wants=r"souhlas\w*|suhlas\w*|prihlas\w*",
        news="odber novinek|novinky",
        status=r"stav\b",
        active="přihlášen|přihlášený|aktivní|aktívny",
    ),
    "Hungarian": Language(
        joined=r"feliratkoz\w*",
        created=r"létrehoz\w*|hozzáad\w*|regisztrál\w*",
        left=r"leiratkoz\w*|lemondott|lemondas\w*|torolt\b",
        pending=r"nem megerosit\w*|megerositesre var\w*",
        bounced=r"visszapattan\w*|kezbesithetetlen",
        suppressed=r"tiltolist\w*|letilt\w*|feketelist\w*",
        wants=r"feliratkoz\w*|hozzajarul\w*",
        news="hirlevel",
        status=r"allapot\b|statusz\b",
        active="feliratkozott|aktív",
    ),
    "Romanian": Language(
        joined=r"abonare\w*|înscri\w*",
        created=r"creat\w*|adăugat\w*|înregistrat\w*",
        left=r"dezabon\w*",
        pending=r"neconfirmat\w*",
        wants=r"abonat\w*|acord\b",
        active="abonat",
    ),
    "Turkish": Language(
        joined=r"abonelik|katılım|üyelik|kaydolma",
        created=r"oluşturma|oluşturulma|eklenme|kayıt",
        left=r"abonelikten\w*|abonelik iptal\w*|iptal edil\w*|listeden cık\w*",
        pending=r"onaylanmamıs|onay bekl\w*",
        suppressed=r"kara liste|engellen\w*",
        wants=r"abone\b|izin\b|onay\b",
        news="bulten|e ?bulten",
        status=r"durumu?\b",
        active="abone|aktif",
    ),
    "Greek": Language(
        joined=r"εγγραφή\w*",
        created=r"δημιουργ\w*|προσθήκη\w*",
        left=r"απεγγραφ\w*|διαγραφ\w*",
        pending=r"μη επιβεβαι\w*",
        wants=r"εγγεγραμ\w*|συγκαταθ\w*",
        status=r"κατασταση",
    ),
    "Russian and Ukrainian": Language(
        joined=r"подпис(ан|ки|ка)\w*|підпис\w*",
        created=r"создан\w*|добавлен\w*|регистраци\w*|створен\w*|додан\w*|реєстраці\w*",
        left=r"отпис\w*|отказ\w*|отозван\w*|неактивн\w*|неактивен|удален\w*|відпис\w*|скасован\w*",
        pending=r"не ?подтвержд\w*|ожида\w*|не ?підтвердж\w*",
        bounced=r"недоступ\w*|не ?достав\w*|неверн\w* (адрес|e ?mail)|несуществующ\w*",
        complained=r"жалоб\w*|скарг\w*|спам\b",
        suppressed=r"черн\w+ спис\w*|чорн\w+ спис\w*|заблок\w*|не (отправлять|беспокоить|писать)",
        confirmed=r"подтвержд\w*|підтвердж\w*",
        wants=r"подпис\w*|соглас\w*|підпис\w*|згод\w*|активен\b",
        status=r"статус\b|состояние\b|стан\b",
        news="рассылк|розсилк",
        gone="отменена|отменен",
        active="активен|активный|подписан|подписчик|подтвержден|активний|підписаний",
    ),
    "Japanese": Language(
        joined=r"登録日時?|購読開始日時?|加入日",
        created=r"作成日時?|追加日時?",
        left=r"配信(停止|解除|拒否|不可|不要|しない)|購読(停止|解除|中止)|登録(解除|抹消)|解約|退会|受信拒否|オプトアウト|解除[日済]",
        pending=r"未確認|仮登録|確認待ち|未承認|未認証",
        bounced=r"配信エラー|エラーメール|エラー回数|不達|バウンス|宛先不明|無効な?(メール|アドレス)",
        complained=r"迷惑メール|苦情|スパム",
        suppressed=r"ブラックリスト|(送信|配信)禁止|除外リスト|ブロック",
        confirmed=r"確認済|本登録",
        wants=r"配信(希望|可否|許可)|メール配信|メルマガ|受信(希望|許可)|購読|オプトイン|同意",
        status=r"ステータス|状態|(配信|購読)状況",
        news="配信|メール受信|ニュースレター",
        gone="停止|停止中|解除|解除済み|拒否|退会済み|取消|受け取らない|配信しない",
        active="購読中|配信中|有効|登録済み|確認済み|本登録|配信可|配信する",
    ),
    "Chinese": Language(
        joined=r"订阅(时间|日期)|訂閱(時間|日期)|加入(时间|日期)",
        created=r"创建(时间|日期)|建立(時間|日期)|添加(时间|日期)|注册(时间|日期)",
        left=r"退订|退訂|取消(订阅|訂閱)|已取消|拒收|不再订阅",
        pending=r"未(确认|確認|验证|驗證)|待(确认|確認)",
        bounced=r"退信|硬退|(无效|無效)(邮箱|信箱|地址)",
        complained=r"投诉|投訴|垃圾(邮件|郵件)",
        suppressed=r"黑名(单|單)|屏蔽|禁止发送",
        wants=r"订阅|訂閱|同意",
        status=r"状态|狀態",
        news="电子报|電子報|通讯",
        gone="取消|停止",
        active="已订阅|已訂閱|正常|有效|订阅中",
    ),
    "Korean": Language(
        joined=r"구독일시?|가입일시?",
        created=r"생성일시?|등록일시?|추가일시?",
        left=r"수신 ?거부|구독 ?(취소|해지|중지)|탈퇴|해지|수신 ?해제",
        pending=r"미인증|미확인|인증 ?대기",
        bounced=r"반송|발송 ?실패|수신 ?불가",
        complained=r"스팸",
        suppressed=r"블랙리스트|차단",
        wants=r"수신 ?(동의|여부|허용)|마케팅 ?동의|구독 ?여부",
        status=r"상태|구독 ?상태",
        news="뉴스레터|소식지",
        active="구독중|구독 중|정상|활성",
    ),
    "Arabic and Hebrew": Language(left=r"إلغاء الاشتراك|ألغى الاشتراك|הסרה|הוסר|ביטול הרשמה", status=r"الحالة|סטטוס"),
    "Vietnamese and Indonesian": Language(left=r"huy đang ky|đa huy|berhenti berlangganan", status=r"trang thai"),
}

YES = "はい|有|あり|可|○|〇|希望する|必要|同意する|同意|да|так|evet|igen|ναι|是|예|네|동의|kyllä|áno|ya|có|نعم|כן"
NO = (
    "いいえ|無|なし|不可|×|希望しない|不要|同意しない|нет|ні|hayır|hayir|όχι|οχι|否|无|不同意|아니오|아니요|미동의|거부|ne|tidak"
    "|không|لا|לא"
)
