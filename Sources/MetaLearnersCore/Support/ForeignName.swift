/// What other programs call the things that specs name: the words that people who come from them write.
///
/// They are not understood, since what has the same name elsewhere need not mean quite the same: an error that names the
/// right word is safer.
package enum ForeignName {
    /// The word of `candidates` for what other programs call `name`, in any case and with `-`, `_` or neither; nil where
    /// there is none.
    package static func meaning(of name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = folded(name)
        let known = Set(candidates)
        for (foreign, ours) in words where foreign.contains(wanted) {
            if let word = ours.first(where: known.contains) { return word }
        }
        return nil
    }

    private static func folded(_ name: String) -> String {
        name.lowercased().filter { $0 != "_" && $0 != "-" }
    }

    /// Names elsewhere (XGBoost, LightGBM, CatBoost, scikit-learn, ranger, grf, glmnet, EconML, CausalML, DoubleML), folded,
    /// and those here, the likeliest first.
    package static let words: [(foreign: Set<String>, ours: [String])] = backends + parameters + specKeys

    private static let backends: [(foreign: Set<String>, ours: [String])] = [
        (["xgb", "xgbregressor", "xgbclassifier"], ["xgboost"]),
        (
            ["lgb", "lgbm", "lightgbm", "lgbmregressor", "lgbmclassifier", "catboost", "catboostregressor"],
            ["lightgbm", "trees"]
        ),
        (
            [
                "gbm", "gbt", "gbdt", "gbrt", "hgb", "boosting", "gradientboosting", "boostedtrees", "tree",
                "decisiontree", "gradientboostingregressor", "gradientboostingclassifier",
                "histgradientboostingregressor", "histgradientboostingclassifier",
            ], ["trees"]
        ),
        (
            [
                "rf", "randomforest", "randomforestregressor", "randomforestclassifier", "ranger", "grf",
                "extratrees", "extratreesregressor", "causalforest", "regressionforest", "honestforest",
            ], ["forest"]
        ),
        (["lm", "linear", "linearregression", "leastsquares", "linearmodel"], ["ols"]),
        (["ridgecv", "ridgeregression"], ["ridge"]), (["lassocv"], ["lasso"]),
        (["elasticnetcv", "glmnet", "enet", "cvglmnet"], ["elastic_net"]),
        (["lr", "logit", "glm", "logisticregression", "logisticregressioncv", "logreg"], ["logistic"]),
        (["mean", "dummy", "dummyregressor", "dummyclassifier", "average"], ["constant"]),
    ]

    private static let parameters: [(foreign: Set<String>, ours: [String])] = [
        (
            [
                "nestimators", "numtrees", "ntrees", "ntree", "nrounds", "nround", "numround", "numrounds",
                "numboostround", "numboostrounds", "numiterations", "niterations", "iterations", "niter",
                "maxiter", "rounds", "estimators",
            ], ["trees", "max_iterations"]
        ),
        (["eta", "shrinkage", "lr", "learnrate", "stepsize"], ["learning_rate"]),
        (["depth", "treedepth", "interactiondepth", "maxtreedepth"], ["max_depth"]),
        (["numleaves", "leaves", "maxleafnodes", "nleaves", "leafnodes"], ["max_leaves"]),
        (
            [
                "minsamplesleaf", "mindatainleaf", "minchildsamples", "minnodesize", "nodesize", "minn",
                "minbucket", "minleaf", "leafsize", "nminobsinnode", "minsamplessplit",
            ], ["min_leaf_size"]
        ),
        (["minchildweight", "minsumhessianinleaf"], ["min_child_weight", "min_leaf_size"]),
        (
            ["lambda", "reglambda", "lambdal2", "l2regularization", "l2leafreg", "alpha", "penalty"],
            ["l2", "l1"]
        ),
        (["regalpha", "lambdal1", "l1regularization"], ["l1", "l2"]),
        (["mixture", "l1mix"], ["l1_ratio"]),
        (
            [
                "subsample", "baggingfraction", "samplefraction", "sampsize", "maxsamples", "bagfraction",
                "samplesize",
            ], ["row_sample"]
        ),
        (["colsamplebytree", "featurefraction", "colsample", "rsm"], ["column_sample"]),
        (["colsamplebynode", "mtry", "maxfeatures"], ["column_sample_node", "column_sample"]),
        (["earlystoppingrounds", "earlystoppinground", "niternochange", "patience"], ["early_stopping"]),
        (["maxbin", "nbins", "bins", "bordercount"], ["max_bins"]),
        (["gamma", "mingaintosplit", "minsplitloss", "minimpuritydecrease"], ["min_split_gain"]),
        (["honesty", "honestsplitting"], ["honest"]), (["honestyfraction"], ["honesty_share"]),
        (["extratrees", "splitrule"], ["extra_random"]), (["tol", "eps"], ["tolerance"]),
        (["growpolicy"], ["growth"]), (["objective", "criterion"], ["loss"]),
        (["validationfraction"], ["validation_share"]), (["nlambda", "nalphas"], ["path_length"]),
    ]

    private static let specKeys: [(foreign: Set<String>, ours: [String])] = [
        (["slearner"], ["s"]), (["tlearner"], ["t"]), (["xlearner"], ["x"]), (["ulearner"], ["u"]),
        (["rlearner", "dml", "lineardml", "nonparamdml", "causalforestdml", "plr", "doubleml"], ["r"]),
        (["ralearner"], ["ra"]),
        (["drlearner", "aipw", "irm", "doublyrobust", "lineardrlearner"], ["dr"]),
        (["pwlearner", "mlearner", "ipw", "ipwlearner"], ["m"]),
        (["flearner", "transformedoutcome"], ["f"]), (["stacking", "superlearner"], ["ensemble"]),
        (["metalearner", "meta", "method"], ["learner"]),
        (["model", "estimator", "engine", "name", "algorithm", "baselearner"], ["backend", "learner"]),
        (["modely", "outcomemodel", "modelregression", "mu", "outcomelearner"], ["outcome", "models"]),
        (
            [
                "modelt", "modelpropensity", "propensitymodel", "propensitylearner", "pscore",
                "propensityscore",
            ],
            ["propensity", "models"]
        ),
        (["modelfinal", "effectmodel", "finalmodel", "effectlearner", "tau"], ["effect", "models"]),
        (
            ["w", "d", "t", "treat", "treatmentcol", "treatmentname", "treatmentcolumn", "dcols"],
            ["treatment"]
        ),
        (
            ["y", "target", "label", "response", "outcomecol", "ycol", "outcomename", "outcomecolumn"],
            ["outcome"]
        ),
        (["clusters", "group", "groups", "clustercols", "clusterid"], ["cluster"]),
        (["weights", "sampleweight", "sampleweights", "weightcol"], ["weight"]),
        (["controlname", "controllabel", "reference", "baseline"], ["control"]),
        (["catfeatures", "categoricalfeatures", "factors", "categoricalfeature"], ["categorical"]),
        (["ignore", "drop", "omit"], ["exclude"]),
        (["x", "xcols", "features", "confounders", "featurecols"], ["covariates", "exclude"]),
        (["nfolds", "cv", "numfolds", "kfolds", "nsplits"], ["folds", "cross_fitting"]),
        (["nrep", "mciters", "reps"], ["repeats", "cross_fitting"]), (["crossfit"], ["cross_fitting"]),
        (["randomstate", "randomseed"], ["seed"]),
        (["clip", "clipping", "trim", "trimming", "trimmingthreshold"], ["overlap", "policy"]),
        (["confidence", "confidencelevel", "cilevel"], ["level"]),
    ]
}
