"""Why an account is not opened."""

from fundcenter.office.refusals import Refusal

ONE_ACCOUNT = "GB/T 51271-2017 一人一户"

ID_IN_USE = Refusal("id_in_use", "该证件号码已有未销户的个人账户；请办理转移或启封，不重复开户。", ONE_ACCOUNT)
CREDIT_CODE_IN_USE = Refusal("credit_code_in_use", "该统一社会信用代码已开立单位账户，不重复开户。", "GB 32100-2015")
CREDIT_CODE_CHECKSUM = Refusal(
    "credit_code_checksum", "“{name}”的统一社会信用代码 {found} 校验不符，请核对登记证照。", "GB 32100-2015"
)
ID_CHECKSUM = Refusal(
    "id_checksum", "“{name}”的身份证号码不正确（校验码或出生日期不符），请核对证件。", "GB 11643-1999"
)
EMPLOYER_UNKNOWN = Refusal("employer_unknown", "没有单位账号 {found}，或该单位不属于您的机构；请核对单位账号。")
OPENING_TWO_PEOPLE = Refusal("two_people", "开户的经办与复核须为两人。", "内部控制：经办与复核分离")

BY_CONSTRAINT = {
    "parties_member_person": ID_IN_USE,
    "parties_employer_credit_code_key": CREDIT_CODE_IN_USE,
    "parties_employer_two_people": OPENING_TWO_PEOPLE,
    "parties_member_two_people": OPENING_TWO_PEOPLE,
}
