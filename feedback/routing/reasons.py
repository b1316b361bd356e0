"""Why a ticket was dispatched by the catalogue, or was left to the dispatcher: one sentence for each reason's code."""

from __future__ import annotations

from feedback.kernel.text import N_

REASON_TEXTS: dict[str, str] = {
    "sure": N_("One category, one unit in charge: dispatched by the duty catalogue."),
    "no_category": N_("No category was given, and no keyword of the catalogue is in the text."),
    "model_unsure": N_(
        "No keyword of the catalogue is in the text, and what was learned from earlier tickets is not sure enough."
    ),
    "several_categories": N_("The text speaks for several categories."),
    "no_row": N_("The catalogue names nobody for this category here."),
    "tie": N_("The catalogue names several units for this category here."),
    "burden_lead": N_("A burden lead is always dispatched by a person."),
    "about_someone": N_("It is about somebody, so a person dispatches it."),
    "self_dispatch_off": N_("The catalogue is sure, but dispatching by itself is switched off."),
    "lead_unavailable": N_("The unit that the catalogue names is no longer there, or may not see this ticket."),
    "not_below": N_("The catalogue names a unit below the lowest level that may be given this work."),
}
"""English sentences, marked for the translators; a door translates them."""
