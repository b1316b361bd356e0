"""A form with one field of every kind that the pages use, for the page of samples. Its labels are samples too: not translated."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    MultipleFileField,
    RadioField,
    SearchField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import InputRequired, Length


class KitchenForm(FlaskForm):  # type: ignore[misc, unused-ignore]
    """One field of every kind that the pages use."""

    text = TextAreaField("想说的话 / What you want to say", [InputRequired("请写一两句话。"), Length(max=20000)])
    photos = MultipleFileField("照片或文件 / Photos or files")
    kind = RadioField(
        "类型 / Kind",
        choices=[
            SelectChoice("demand", "诉求"),
            SelectChoice("suggestion", "建议"),
            SelectChoice("question", "咨询"),
            SelectChoice("burden", "减负线索"),
        ],
    )
    privacy = RadioField(
        "谁能看到您 / Who sees you",
        [InputRequired("请选一个。")],
        choices=[SelectChoice("named", "实名"), SelectChoice("confidential", "保密")],
    )
    place = StringField("地点 / Place")
    unit = SelectField(
        "承办单位 / Department",
        [InputRequired("请选承办单位。")],
        choices=[SelectChoice("", "–"), SelectChoice("water", "水务局"), SelectChoice("road", "交通局")],
    )
    call_me = BooleanField("可以给我打电话 / You may call me", [InputRequired("请勾选。")])
    answer = TextAreaField("您的回答 / Your answer", [InputRequired()])
    reason = TextAreaField("还差什么 / What is missing", [InputRequired()])
    why_withdraw = StringField("为什么撤回 / Why", [InputRequired()])
    q = SearchField("搜索 / Search", [InputRequired()])
    area = SelectField(
        "地区 / Area", [InputRequired()], choices=[SelectChoice("", "全部 / all"), SelectChoice("h", "槐树湾镇")]
    )
    urgency = SelectField(
        "紧急程度 / Urgency", [InputRequired()], choices=[SelectChoice("", "全部 / all"), SelectChoice("u", "紧急")]
    )
