import MetaLearners
import MetaLearnersCore

/// What is to be known where rows are judged by models that saw them.
extension CausalStudy {
    /// Of effects: those in sample look better than they are; so do, a little, those of `auto`, whose models of outcomes behind one row's effect saw that
    /// row. Nil for all others.
    package var ownEffectsWarning: String? {
        guard effects != nil else { return nil }
        switch origin {
        case .inSample:
            return
                "the effects are '\(source)'s of its own training rows, by models that were fitted to these very rows (\(ownRowsReason)): differences that are noise "
                + "look real, and gains too large; use cross_fitting.in_sample: out_of_fold with two folds or more, or rows that took no part in the fit"
        case .outOfFold where isOfAuto:
            return
                "the effects are '\(source)'s of its own training rows: models of outcomes behind a row's effect saw the row, and where effects do not differ at all, "
                + "tests at 5 % find differences somewhat too often (in 2 to 6 of 100 data sets where 2.5 are due, calibration_test in 10 to 12 where 5 are); rows that took no part in the fit are the better judges"
        case .outOfFold, .predicted, .given: return nil
        }
    }

    /// Of scores: in one fold the models of propensities and outcomes saw the rows whose averages they adjust. Nil where they did not.
    package var ownNuisancesWarning: String? {
        guard origin == .inSample, !(repeats.first?.isCrossFitted ?? false) else { return nil }
        return
            "propensities and outcomes come from models that were fitted to these very rows (cross_fitting.folds: 1): where these are flexible, such as trees, averages are drawn "
            + "towards what the models say and their standard errors are too small; use two folds or more"
    }

    private var ownRowsReason: String {
        repeats.first?.isCrossFitted ?? false ? "cross_fitting.in_sample: full" : "cross_fitting.folds: 1"
    }
}
