"""What the law and the guests want to know of a food."""

from django.db import models


class Allergen(models.TextChoices):
    """The 14 of Regulation (EU) 1169/2011, Annex II, in its order."""

    GLUTEN = "gluten", "Cereals containing gluten"
    CRUSTACEANS = "crustaceans", "Crustaceans"
    EGGS = "eggs", "Eggs"
    FISH = "fish", "Fish"
    PEANUTS = "peanuts", "Peanuts"
    SOYBEANS = "soybeans", "Soybeans"
    MILK = "milk", "Milk"
    NUTS = "nuts", "Nuts"
    CELERY = "celery", "Celery"
    MUSTARD = "mustard", "Mustard"
    SESAME = "sesame", "Sesame"
    SULPHITES = "sulphites", "Sulphur dioxide and sulphites"
    LUPIN = "lupin", "Lupin"
    MOLLUSCS = "molluscs", "Molluscs"


class Diet(models.TextChoices):
    VEGAN = "vegan", "Vegan"
    VEGETARIAN = "vegetarian", "Vegetarian"
    HALAL = "halal", "Halal"
    KOSHER = "kosher", "Kosher"
    ORGANIC = "organic", "Organic"
    GLUTEN_FREE = "gluten_free", "Gluten free"
    LACTOSE_FREE = "lactose_free", "Lactose free"
