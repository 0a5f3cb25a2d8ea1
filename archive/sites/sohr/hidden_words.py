"""The words that the site hides in headlines, and the words that only look hidden.

From the headlines of ids 274171 to 336925. A word is hidden by ``-`` only if it stands here or in the article's
own text; ``*`` needs no list.
"""

from __future__ import annotations

from archive.text.deobfuscate import HiddenWords
from archive.text.wordlists import word_set

ENGLISH = word_set("""
    kill kills killed killing killings killer killers dead deadly death deaths die dies died dying isis hts isil pkk ypg attack attacks attacked
    attacker attackers attacking target targets targeted targeting injure injures injured injuring injury injuries injured wound wounds wounded
    wounding explode explodes exploded exploding explosion explosions explosive explosives bomb bombs bombed bombing bombings bombard bombards
    bombarded bombardment bomber bombers murder murders murdered murdering murderer murderers assassinate assassinates assassinated assassinating
    assassination assassinations assassin assassins fatality fatalities casualty casualties gunman gunmen gunfire gunshot gunshots weapon weapons
    rocket rockets missile missiles mortar shell shells shelled shelling war wars warplane warplanes airstrike airstrikes strike strikes massacre
    massacres execute executes executed executing execution executions behead beheaded beheading terror terrorist terrorists terrorism jihadist
    jihadists jihadi jihadis militant militants militia militias militiaman militiamen fighter fighters rape raped rapes torture tortured
    tortures torturing suicide suicides hostage hostages kidnap kidnaps kidnapped kidnapping abduct abducts abducted abduction shoot shoots
    shooting shot slaughter slaughtered slain blood bloody bloodshed corpse corpses bodies explosively landmine landmines sniper snipers drone
    drones israel israeli hamas hezbollah hizbullah turkish turkey iran iranian russian russia regime soldier soldiers police violence violent
    clashes clash ambush ambushes drug drugs captagon smuggle smuggled smuggling smugglers arrest arrests arrested detained prisoner prisoners
    victim victims child children woman women civilian civilians
""")


# Real compounds whose joined form stands above: the hyphen is the site's spelling, not a trick.
COMPOUNDS = word_set(
    """
    air-strike air-strikes war-plane war-planes gun-man gun-men gun-fire gun-shot gun-shots land-mine land-mines blood-shed militia-man
    militia-men cease-fire check-point check-points ex-plosive shot-gun
    """
)
# First parts that make real compounds and names: never joined on the word of the article's body alone.
FIRST_PARTS = word_set(
    """
    al el ad ar as ash at az an ad adh ath ez es et abu abo bin ibn ben deir dayr tal tell tel jabal umm um ain ayn kafr kafar beit bait beth
    khan ras sheikh anti pro pre post non ex co re de un in im over under out up off on down by self semi multi inter intra counter cross long
    short high low mid middle sub super trans ultra vice well ill so half all cease check air war gun land car key north south east west eastern
    western northern southern two three four five six seven eight nine ten eleven twelve one first second third fourth twenty thirty forty fifty
    sixty seventy eighty ninety day week month year pan neo quasi pseudo micro macro mini mega bi tri uni back front hard soft hot cold new old
    world wide big small fire field head hand heavy house home human large late left right life light line man men mass master news night non
    open pay per pick pipe play police power press rail rear road roof round run safe sea set side sky sniper stand state step stock stop street
    strong take think time top town truck turn tv under upper village walk watch water way white black red green blue work x e a b c d t u
    after blood bomb book bread break bridge brother burn camp child church city clean country dead death earth eye farm father fore free gas gold
    grand grave ground guest home hospital ice iron jail job king lock market moon mortar mother motor oil passer peace prison rain
    rocket sand school shell ship show sister sleep smoke snow space spokes stone storm suicide sun tank tax tear trade train ware web wheat wild
    wind wood word kfar ein tall bab bir burj dar hajar jisr sayyida sere wadi nahr qasr qala marj mar shaykh sheik hayy
    """
)

ARABIC = word_set("""
    قتل قتلى قتيل قتلوا قتله قتلت قتلا مقتل مقتول قاتل يقتل تقتل القتل القتلى مجزره مجزرة مجازر موت الموت وفاة وفاه داعش الداعش داعشي دواعش
    اغتيال الاغتيال اغتيالات انفجار انفجارات الانفجار تفجير تفجيرات التفجير هجوم الهجوم هجمات يهاجم قصف القصف يقصف غارة غاره غارات الغارات سلاح
    السلاح اسلحة أسلحة مسلح مسلحون مسلحين المسلحين ارهاب إرهاب ارهابي إرهابي الارهاب الإرهاب ارهابيين إرهابيين اعدام إعدام الاعدام الإعدام ذبح
    تعذيب التعذيب اغتصاب الاغتصاب انتحار الانتحار انتحاري جثة جثه جثث جريح جرحى اصابة إصابة عبوة عبوه ناسفة ناسفه لغم الغام ألغام صاروخ صواريخ
    حرب الحرب دم دماء شهيد شهداء طيران مسيرة مسيره قنص قناص خطف اختطاف مخدرات المخدرات النصرة النصره هيئة تحرير حماس اسرائيل إسرائيل إسرائيلي
    اسرائيلي إسرائيلية اسرائيلية حزب ايران إيران إيراني
""")

HIDDEN = HiddenWords(ENGLISH, ARABIC, COMPOUNDS, FIRST_PARTS)
