"""Words that are names and also words of everyday language, folded as the matcher compares them.

In small letters they are taken for the word, with a capital for the name. A word that is missing here costs others a
word of their text; one too many leaves a name that somebody wrote in small letters.
"""

from __future__ import annotations

from typing import Final

ORDINARY: Final = frozenset(
    """
    all also am an and any april are art as at august autumn be bill but by can chance chase dawn day dean did do
    does drew even ever for frank gay ginger go good grace grant had has have haven he her hers him his hope how
    hunter i if in is it its joy june just king lance long love major man many mark marks may me melody mercy miles
    more my no not now of old on one or our out own page pat pearl queen rich rob rose roses royal say see she sky
    so son soon star stone storm sue summer sunny tall tell that the them then they this to true two up us walker
    was we well west what when white who will wills win winter wise with woods yes you young your ab aber alle als
    auch auf aus bald bei bin bis blume da das dass dein dem den der des dich die dir doch du durch ein eine er
    ernst ernste es euch euer fein feld frei frieden fur gern gross gut hat heute hier ich ihm ihn ihr im ins ist ja
    je jung kann kein klein klar koch kurz lang lieb licht mai mann mein mich mir mit morgen nach nein neu nicht
    noch nur ob oder richter sanft schon schwarz sehr sein seit sie sieg sind sommer sonne stark stein stern treu um
    und uns vom von vor wald wann war warum weg wei weil weiss wenn wer wie wir wo wort zu zum zur a ai alors au
    aussi aux avec avoir bien bon brun ca car ce ces cet comme constant dans de deux dieu doux elle en est et etre
    eux fait fin fleur fort gentil grand gris ici il ils jai joie jour la lac le les leur lui lune ma mais marine
    meme mer merci mes moi mon ne nee ni non nos notre nous nu ont ou par pas petit peu pierre plus pour prudent que
    qui rosier sa sans se ses si soleil sont sous sur ta te tes ton tres tu un une va vers vive vos votre vous vrai
    vu al algo como con cruz del dos el ella era esta ha las lo los luz mar mas mi mis muy o para paz pero por sal
    sin sol su sus una y ya
    """.split()  # noqa: SIM905
)

PARTICLES: Final = frozenset(
    """
    a abu af al am an and auf av bin bint da dal das de degli dei del della dem den der des di do dos du e ed el
    het ibn in la las le les lo los of san st te ten ter the thor to und van vom von y zu zum zur
    """.split()  # noqa: SIM905
)
"""Small words within names. Written in small letters they are looked for only together with the rest of the name."""

TITLES: Final = frozenset("dr dra mr mrs ms mx prof sir herr frau mme mlle sr sra jr ii iii iv phd msc".split())  # noqa: SIM905
"""What stands before or after names and is nobody's."""
