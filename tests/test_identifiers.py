from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import ric

from fundcenter import identifiers

GOOD_ID = "362330199001010411"
bodies = st.from_regex(r"[0-9]{10}", fullmatch=True)


@pytest.mark.parametrize(
    "awkward",
    [
        " 张三 ", "张　三", "张\u00a0三", "\ufeff张三", "张\u200b三", "张\u200d三\u2060", "\u202a张三\u202c",
        "张\u00ad三", "张三\t\r\n", "张\u3164三", "张三\U000e0100", "张三\ufe0f",
    ],
)  # fmt: skip
def test_clean_takes_out_what_nobody_sees(awkward):
    assert identifiers.clean(awkward) == "张三"


def test_clean_folds_full_width_and_keeps_rare_characters():
    assert identifiers.clean("３６００Ａｂ（元）") == "3600Ab(元)"
    assert identifiers.clean("㼆䶮𬭚喆堃") == "㼆䶮𬭚喆堃"


@given(st.text())
def test_clean_twice_is_clean_once(text):
    once = identifiers.clean(text)
    assert identifiers.clean(once) == once


# --- resident identity numbers ---


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        (GOOD_ID, None),
        (" 362330 19900101 0411", None),
        ("３６２３３０１９９００１０１０４１１", None),
        ("11010519491231002X", None),
        ("11010519491231002x", None),
        ("36233019900101041", "id_length"),
        ("362330900101041", "id_length"),  # 15 digits, not valid since 2013
        ("3623301990010104182", "id_length"),
        ("36233019900101O418", "id_length"),  # the letter O
        ("", "id_length"),
        ("362330199002300411", "id_birth"),
        ("362330189912310411", "id_birth"),
        ("362330199001010418", "id_checksum"),
    ],
)
def test_id_number_problem(number, problem):
    assert identifiers.id_number_problem(number) == problem


def test_an_id_older_than_its_county_is_good():
    """`ric.validate` refuses it: 鄱阳县 was 波阳县 and 362330 until 2000, 361128 after."""
    number = "36112819900101041"
    number += ric.calc_check_digit(number + "0")
    assert identifiers.id_number_problem(number) is None
    assert identifiers.id_area_known(number)


@given(st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_of_an_id_is_found(place, difference):
    digit = (int(GOOD_ID[place]) + difference) % 10
    assert identifiers.id_number_problem(f"{GOOD_ID[:place]}{digit}{GOOD_ID[place + 1 :]}") in {
        "id_birth",
        "id_checksum",
    }


def test_what_an_id_says():
    assert identifiers.id_birth_date(GOOD_ID) == date(1990, 1, 1)
    assert identifiers.id_sex(GOOD_ID) == "男"
    assert identifiers.id_sex("11010519491231002X") == "女"


def test_a_wrong_id_says_nothing():
    for function in (identifiers.id_birth_date, identifiers.id_sex):
        with pytest.raises(ValueError, match="id_checksum"):
            function("362330199001010418")


@pytest.mark.parametrize(
    ("area", "known"),
    [("362330", True), ("361128", True), ("810000", True), ("830000", True), ("361199", False), ("990000", False)],
)
def test_id_area_known(area, known):
    assert identifiers.id_area_known(area + "199001010418") is known


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("362330199001010418", "362330********0418"),
        ("11010519491231002x", "110105********002X"),
        ("E12345678", "E1*****78"),
        ("H1234", "H1*34"),
        ("AB12", "****"),
        ("", ""),
    ],
)
def test_mask_id(number, masked):
    assert identifiers.mask_id(number) == masked


@pytest.mark.parametrize(
    ("number", "masked"), [("138 1234 5678", "138****5678"), ("07938220000", "079****0000"), ("8220000", "82***00")]
)
def test_mask_phone(number, masked):
    assert identifiers.mask_phone(number) == masked


def test_mask_card():
    assert identifiers.mask_card("6222 0215 1200 0000 018") == "6222***********0018"


def test_nobodys_number_is_quoted():
    assert identifiers.holds_id(f"东门 {GOOD_ID}号")
    assert not identifiers.holds_id("362330199001010418")
    assert not identifiers.holds_id("91361100MA0000001X")
    assert identifiers.veiled(f"{GOOD_ID}，6222021512000000018") == f"362330********{GOOD_ID[-4:]}，622202*********0018"
    assert identifiers.veiled("360012345658 5321.00") == "360012345658 5321.00"


# --- telephones and bank cards ---


@pytest.mark.parametrize(
    ("number", "mobile", "telephone"),
    [
        ("13879312345", True, True), ("138 7931 2345", True, True), ("１３８７９３１２３４５", True, True),
        ("12879312345", False, False), ("1387931234", False, False), ("8220000", False, True),
        ("0793-8220000", False, True), ("(0793)8220000", False, True), ("010-62220000-812", False, True),
        ("400-123-4567", False, True), ("", False, False), ("电话", False, False),
    ],
)  # fmt: skip
def test_telephones(number, mobile, telephone):
    assert (identifiers.is_mobile(number), identifiers.is_telephone(number)) == (mobile, telephone)


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("6222021512000000010", False),
        ("4111 1111 1111 1111", True),
        ("41111111111", False),
        ("卡号", False),
        ("", False),
    ],
)
def test_bank_cards(number, good):
    assert identifiers.is_card(number) is good


# --- employers ---


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("91110000600037341L", None),
        ("9111 0000 6000 37341l", None),
        ("N21100006000373414", None),  # a rural collective
        ("N21100006000373419", "credit_code_checksum"),
        ("91110000600037341M", "credit_code_checksum"),
        ("91110000600037341", "credit_code_length"),
        ("9111000060003734IL", "credit_code_length"),  # I, O, Z, S and V are no digits of the code
        ("A1110000600037341", "credit_code_length"),
    ],
)
def test_credit_code_problem(code, problem):
    assert identifiers.credit_code_problem(code) == problem


# --- account numbers ---


def test_account_numbers():
    assert identifiers.employer_account("01", 1) == identifiers.with_check("0100000001") == "010000000146"
    assert identifiers.member_account("36", 123456) == "360012345658"
    assert identifiers.member_account("36", 99_999_999).startswith("3699999999")


@pytest.mark.parametrize(("prefix", "sequence"), [("1", 1), ("001", 1), ("x1", 1), ("01", 100_000_000), ("01", -1)])
def test_parts_that_do_not_fit(prefix, sequence):
    with pytest.raises(ValueError, match="ten digits"):
        identifiers.employer_account(prefix, sequence)


@given(bodies)
def test_a_made_account_is_valid(body):
    assert identifiers.account_valid(identifiers.with_check(body))


@given(bodies, st.integers(0, 11), st.integers(1, 9))
def test_every_single_wrong_digit_of_an_account_is_found(body, place, difference):
    account = identifiers.with_check(body)
    wrong = (int(account[place]) + difference) % 10
    assert not identifiers.account_valid(f"{account[:place]}{wrong}{account[place + 1 :]}")


@given(bodies, st.integers(0, 10))
def test_every_swap_of_neighbours_is_found(body, place):
    account = identifiers.with_check(body)
    assume(account[place] != account[place + 1])
    assert not identifiers.account_valid(account[:place] + account[place + 1] + account[place] + account[place + 2 :])


@pytest.mark.parametrize(
    "text", ["", "36001234565", "3600123456589", " 360012345658", "36001234565X", "３６００１２３４５６５８"]
)
def test_an_account_is_exact(text):
    assert not identifiers.account_valid(text)


# --- names ---


@pytest.mark.parametrize("dot", "·•・‧．.･")
def test_middle_dots_are_one(dot):
    assert identifiers.same_name(f"阿依古丽{dot}买买提", "阿依古丽·买买提")


def test_same_name():
    assert identifiers.same_name("张　三", "张三")
    assert identifiers.same_name("Ｊｏｈｎ Smith", "JohnSmith")
    assert not identifiers.same_name("张三", "张叁")
    assert identifiers.name_key(" 阿里 · 木 ") == "阿里·木"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("张三", "张三"), ("张　三", "张三"), ("阿依古丽•买买提", "阿依古丽·买买提"), ("张䶮", "张䶮"), ("张𬭚", "张𬭚"),
        ("张\ue863", "张\ue863"), ("SMITH  JOHN", "SMITH JOHN"), ("O'Brien", "O'Brien"), ("很" * 50, "很" * 50),
    ],
)  # fmt: skip
def test_person_name(written, kept):
    assert identifiers.person_name(written) == kept


@pytest.mark.parametrize(
    "written", ["张", "张3", "·张三", "张三·", "很" * 51, "张,三", "张三（男）", GOOD_ID, "", "--"]
)
def test_no_person_name(written):
    with pytest.raises(ValueError, match="not a name"):
        identifiers.person_name(written)
