"""Makes rand.csv of the RAND Health Insurance Experiment as statsmodels has it (public domain).

    python make_data.py randhie.csv rand.csv

`generous` is 1 where the coinsurance rate (`lncoins`, its logarithm) lies below its mean: the treatment. `test` is 1 for the rows
that scikit-learn's train_test_split(test_size=0.2, random_state=42, stratify=generous) holds out. `lncoins` and `idp`, the
other parts of the insurance plan, are left out: who knows them knows the treatment. Needs pandas and scikit-learn.
"""

import sys

import pandas
from sklearn.model_selection import train_test_split

data = pandas.read_csv(sys.argv[1])
data["generous"] = (data["lncoins"] < data["lncoins"].mean()).astype(int)
_, test = train_test_split(data.index, test_size=0.2, random_state=42, stratify=data["generous"])
data["test"] = data.index.isin(test).astype(int)
covariates = ["lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp"]
data[["generous", "mdvis", *covariates, "test"]].to_csv(sys.argv[2], index=False)
