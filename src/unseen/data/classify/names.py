"""Lists of common given names and family names, to tell a column of names by its values alone.

A few hundred of each from public statistics of the five jurisdictions' names: enough that a column of people shows
a share of them which no column of places, firms or codes does.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.classify.digits import Truths

_GIVEN: Final = """
    james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony
    mark donald steven paul andrew joshua kenneth kevin brian george timothy ronald edward jason jeffrey ryan
    jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander
    frank patrick raymond jack dennis jerry tyler aaron jose adam nathan henry douglas zachary peter kyle
    noah ethan jeremy walter christian keith roger terry austin sean gerald carl harold dylan arthur lawrence
    jordan jesse bryan billy bruce gabriel joe logan alan juan mary patricia jennifer linda elizabeth barbara
    susan jessica sarah karen lisa nancy betty margaret sandra ashley kimberly emily donna michelle carol
    amanda melissa deborah stephanie dorothy rebecca sharon laura cynthia amy kathleen angela shirley anna
    brenda pamela emma nicole helen samantha katherine christine debra rachel carolyn janet catherine maria
    heather diane ruth julie olivia joyce virginia victoria kelly lauren christina joan evelyn judith megan
    andrea cheryl hannah jacqueline martha gloria teresa ann sara madison frances kathryn janice jean abigail
    alice julia judy sophia grace denise amber doris marilyn danielle beverly isabella theresa diana natalie
    brittany charlotte marie kayla alexis lori tina tracy erin crystal jamie robin leah allison lindsey
    chelsea cameron travis derek jill oliver harry charlie oscar leo freddie archie alfie theo lewis owen
    liam callum gareth nigel graham simon neil stuart ian colin trevor clive geoffrey lucy chloe sophie ellie
    poppy isla freya holly gemma hayley lesley maureen hans wolfgang klaus jürgen dieter manfred uwe günter
    helmut gerhard horst bernd andreas stefan martin jens ralf jörg torsten sven matthias markus sebastian
    tobias florian jan lukas felix leon finn jonas max moritz niklas ursula monika petra sabine renate helga
    karin brigitte ingrid erika christa gisela susanne heike anja birgit katrin silke stefanie claudia
    martina angelika gabriele elke ute anke lena lea leonie mia heinz karl fritz otto werner kurt ernst
    herbert rolf gerda elfriede hannelore marianne irmgard edith waltraud pierre michel andré philippe alain
    bernard jacques nicolas christophe frédéric laurent stéphane éric olivier pascal thierry julien sébastien
    vincent antoine guillaume maxime alexandre hugo lucas louis jules marcel henri georges rené françois
    claude gilles denis didier marc emmanuel jeanne françoise monique nathalie isabelle sylvie anne martine
    valérie sandrine véronique céline aurélie émilie camille léa manon chloé inès zoé margaux élodie audrey
    virginie hélène chantal dominique odette simone suzanne thérèse madeleine lucie margot alix agnès
    giuseppe giovanni antonio mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico
    paolo marco luca stefano alessandro rosa giovanna lucia francesca giulia chiara elena josé manuel
    francisco javier carlos jesús alejandro miguel rafael pedro pablo ángel sergio fernando jorge luis
    alberto álvaro diego adrián maría carmen ana isabel cristina marta lucía paula sofía pilar dolores
    mercedes raquel rosario joão tiago rui paulo inês catarina beatriz piotr krzysztof andrzej tomasz paweł
    marcin michał katarzyna małgorzata agnieszka ewa jiří jana petr lars erik anders johan nils björn ole
    kirsten mette hanna mika matti pekka timo johanna sofie emil magnus maja elsa astrid linnea ahmed mohamed
    mohammed ali fatima aisha omar hassan ibrahim yusuf mustafa mehmet ayşe elif emre ravi anil priya sunita
    raj hiroshi takashi kenji akira satoshi yoko keiko yuki haruto sota yuto hina sakura aoi ren hinata taro
    hanako naoko wei fang min jing li xiuying lei yang tao jun jie ming hong ping hui yan yong gang qiang
"""
_FAMILY: Final = """
    smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson
    anderson thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis
    robinson walker young allen king wright scott torres nguyen hill flores green adams nelson baker hall
    rivera campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards collins
    reyes stewart morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly
    howard ramos kim cox ward richardson watson brooks chavez wood james bennett gray mendoza ruiz hughes
    price alvarez castillo sanders patel myers long ross foster jimenez powell jenkins perry russell sullivan
    bell coleman butler henderson barnes gonzales fisher vasquez simmons romero jordan patterson alexander
    hamilton graham reynolds griffin wallace moreno west cole hayes bryant herrera gibson ellis tran medina
    aguilar stevens murray ford castro marshall owens harrison fernandez mcdonald woods washington kennedy
    wells vargas henry chen freeman webb tucker guzman burns crawford olson simpson porter hunter gordon
    mendez silva shaw snyder mason dixon munoz hunt hicks holmes palmer wagner black robertson boyd stone
    salazar fox warren mills meyer rice schmidt garza daniels ferguson nichols stephens soto weaver ryan
    gardner payne grant dunn kelley davies ali khan singh begum kaur hussain shah ahmed lloyd pearce barker
    chapman saunders barrett rees müller schneider fischer weber becker schulz hoffmann schäfer koch bauer
    richter klein wolf schröder neumann schwarz zimmermann braun krüger hofmann hartmann lange schmitt werner
    schmitz krause meier lehmann schmid schulze maier köhler herrmann könig walter mayer huber kaiser fuchs
    peters lang scholz möller weiß jung hahn schubert vogel friedrich keller günther frank berger winkler
    roth beck lorenz baumann franke albrecht schuster simon ludwig böhm winter kraus schumacher krämer vogt
    stein jäger otto sommer groß seidel heinrich brandt haas schreiber graf schulte dietrich ziegler kuhn
    kühn pohl engel horn busch bergmann voigt sauer arnold wolff bernard dubois robert richard petit durand
    leroy moreau laurent lefebvre michel david bertrand roux vincent fournier morel girard andré lefèvre
    mercier dupont lambert bonnet françois legrand garnier faure rousseau blanc guérin muller roussel nicolas
    perrin morin mathieu clément gauthier dumont fontaine chevalier robin masson gérard boyer denis lemaire
    duval joly gautier roger roche roy noël lucas meunier jean marchand dufour blanchard marie barbier brun
    dumas brunet leroux colin renard arnaud rolland caron aubert giraud leclerc vidal bourgeois renaud
    lemoine picard gaillard philippe rossi russo ferrari esposito bianchi romano colombo ricci marino greco
    bruno gallo conti costa giordano mancini rizzo garcía rodríguez gonzález fernández lópez martínez sánchez
    pérez gómez martín jiménez hernández díaz álvarez muñoz santos ferreira pereira oliveira rodrigues
    martins sousa fernandes gonçalves jansen bakker visser smit meijer dejong devries nowak kowalski
    wiśniewski wójcik kamiński novák svoboda dvořák andersson johansson karlsson nilsson eriksson larsson
    olsson persson hansen nielsen jensen pedersen larsen olsen virtanen korhonen nieminen horvat kovač nagy
    kovács tóth szabó popescu ionescu popov ivanov petrov smirnov yılmaz kaya demir sato suzuki takahashi
    tanaka watanabe ito yamamoto nakamura kobayashi kato yoshida yamada sasaki yamaguchi matsumoto inoue
    kimura shimizu hayashi wang li zhang liu yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo
    zheng liang xie tang
"""
GIVEN: Final = frozenset(_GIVEN.split())
FAMILY: Final = frozenset(_FAMILY.split())
_HAN_FAMILY: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏"
    "苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊"
    "白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严欧莫孔向常汤康季伍施温牛樊葛邢安齐庄"
)
_HAN_NAME: Final = f"^[{_HAN_FAMILY}]\\p{{Han}}{{1,2}}$"
_JAPANESE_NAME: Final = (
    r"^(?:佐藤|鈴木|高橋|田中|伊藤|渡辺|渡邉|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上"
    r"|木村|斎藤|清水|山崎|阿部|森|池田"
    r"|橋本|石川|山下|小川|石井|長谷川|後藤|岡田|近藤|前田|藤田|遠藤|青木|坂本|村上|太田|金子"
    r"|藤井|福田|西村|三浦|竹内|中島|岡本"
    r"|松田|原田|中川|中野|小野|田村|藤原|中山|石田|和田|森田|上田|原|内田|柴田|酒井|宮崎|横山"
    r"|高木|安藤|宮本|大野|小島|工藤|谷口"
    r"|今井|高田|増田|丸山|杉山|村田|大塚|新井|小山|藤本|平野|河野|上野|武田|野口|松尾|菅原|岩崎"
    r"|木下) ?[\p{Han}\p{Hiragana}\p{Katakana}]{1,4}$"
)
_TITLES: Final = (
    r"(?i)^(?:(?:mr|mrs|ms|miss|dr|prof|herr|frau|m|mme|mlle|dipl\.?-ing|univ\.?prof|ing)\b\.? ?)+"
    r"|,? (?:jr|sr|md|phd|dds|dvm|ii|iii|iv|b\.?sc|m\.?sc|b\.?a|m\.?a|b\.?eng|mba\.?)\b\.?.*$"
)
_SHAPE: Final = r"^\pL[\pL'’.-]*(?: \pL[\pL'’.-]*){0,4}$"


def match_names(values: pa.Array) -> dict[str, Truths]:
    """For each text whether it is a given name, a family name, or a full name, by category."""
    plain = pc.utf8_trim_whitespace(pc.replace_substring_regex(values, _TITLES, ""))
    shaped = pc.match_substring_regex(plain, _SHAPE)
    words = pc.split_pattern(pc.utf8_lower(pc.if_else(shaped, plain, "")), " ")
    first, last, count = _word(words, 0), _word(words, -1), np.asarray(pc.list_value_length(words))
    given, family = pa.array(sorted(GIVEN)), pa.array(sorted(FAMILY))
    begins = pc.is_in(first, given).to_numpy(zero_copy_only=False)
    begins_hyphened = pc.is_in(pc.replace_substring_regex(first, "-.*", ""), given).to_numpy(zero_copy_only=False)
    ends = pc.is_in(last, family).to_numpy(zero_copy_only=False)
    asian = pc.or_(
        pc.match_substring_regex(plain, _HAN_NAME), pc.match_substring_regex(plain, _JAPANESE_NAME)
    ).to_numpy(zero_copy_only=False)
    single, several = count == 1, count > 1
    return {
        "user.name": ((begins | begins_hyphened) & several) | (ends & several) | asian,
        "user.name.first": (begins | begins_hyphened) & single,
        "user.name.last": ends & single,
    }


def _word(words: pa.Array, place: int) -> pa.Array:
    """One word of each list, the first (0) or the last (-1)."""
    offsets = np.asarray(words.offsets)
    at = offsets[:-1] if place == 0 else offsets[1:] - 1
    return words.values.take(pa.array(at))
