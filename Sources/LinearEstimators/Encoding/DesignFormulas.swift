import MetaLearnersCore

/// Linear functions of encoded features as formulas: every encoded number is a step of its own, and a category one table of what
/// its levels add, however many there are.
struct DesignFormulas {
    private let encoder: DesignEncoder
    /// The numbers of each feature as columns of the design matrix; none for categories.
    private let numbers: [[Formula]]

    init(_ encoder: DesignEncoder) {
        self.encoder = encoder
        numbers = encoder.sources.enumerated().map { feature, source in
            if case .numeric(let encoding) = source { Self.columns(of: encoding, feature) } else { [] }
        }
    }

    /// A formula for each function.
    ///
    /// - Parameters:
    ///   - intercepts: one for each function.
    ///   - coefficients: for each function, one per column of the design matrix.
    func functions(intercepts: [Double], coefficients: [Double]) -> [Formula] {
        let products = productColumns()
        return intercepts.enumerated().map { output, intercept in
            let start = output * encoder.width
            return function(intercept, Array(coefficients[start..<start + encoder.width]), products)
        }
    }

    private func function(_ intercept: Double, _ coefficients: [Double], _ products: [Formula]) -> Formula {
        var factors: [Double] = []
        var terms: [Formula] = []
        func add(_ factor: Double, _ term: Formula) {
            guard factor != 0 else { return }
            factors.append(factor)
            terms.append(term)
        }
        var first = 0
        for (feature, source) in encoder.sources.enumerated() where source.width > 0 {
            switch source {
            case .numeric:
                for (column, formula) in numbers[feature].enumerated() {
                    add(coefficients[first + column], formula)
                }
            case .categorical(let encoding):
                let own = Array(coefficients[first..<first + source.width])
                if own.contains(where: { $0 != 0 }) { add(1, Self.table(of: encoding, feature, own)) }
            }
            first += source.width
        }
        for score in encoder.scores {
            add(coefficients[first], Self.column(of: score))
            first += 1
        }
        for product in products {
            add(coefficients[first], product)
            first += 1
        }
        return Formula(.linear(intercept: intercept, coefficients: factors, terms))
    }

    /// A number's columns: the line, whether it is missing, and the curve.
    private static func columns(of encoding: NumericEncoding, _ feature: Int) -> [Formula] {
        let value = Formula(.number(column: feature))
        var scaled =
            encoding.factor == 1 ? value : Formula(.product([value, .constant(encoding.factor)]))
        if let spline = encoding.spline {
            scaled = Formula(.clip(scaled, lower: spline.low, upper: spline.high))
        }
        var columns: [Formula] = []
        if encoding.spread > 0 {
            let mean = encoding.center / encoding.factor
            let deviation = encoding.spread / encoding.factor
            // The factor is a power of two, and there is nothing to say of it, unless it is needed against overflow.
            let isExact =
                mean * encoding.factor == encoding.center && deviation * encoding.factor == encoding.spread
            columns.append(
                isExact && encoding.spline == nil
                    ? Formula(.standardised(value, mean: mean, deviation: deviation, missing: 0))
                    : Formula(
                        .standardised(
                            scaled, mean: encoding.center, deviation: encoding.spread, missing: 0)))
        }
        if encoding.missingSpread > 0 {
            columns.append(
                Formula(
                    .standardised(
                        Formula(.isMissing(column: feature)), mean: encoding.missingShare,
                        deviation: encoding.missingUnit, missing: 0)))
        }
        if let spline = encoding.spline {
            for column in 0..<spline.width {
                columns.append(
                    Formula(
                        .standardised(
                            Formula(.spline(scaled, knots: spline.knots, index: column)),
                            mean: spline.centers[column], deviation: spline.spreads[column], missing: 0)))
            }
        }
        return columns
    }

    /// What the levels of a category add, given the coefficients of its columns.
    private static func table(of encoding: CategoricalEncoding, _ feature: Int, _ coefficients: [Double])
        -> Formula
    {
        var effects = [Double](repeating: 0, count: encoding.shares.count)
        // Indicators less their shares: every one of them counts in every row.
        var shift = 0.0
        for (indicator, place) in encoding.positions.enumerated() where place >= 0 {
            let share = encoding.shares[indicator]
            effects[indicator] = coefficients[Int(place)] / encoding.unit(of: share)
            shift += effects[indicator] * share
        }
        return levels(of: encoding, feature) { $0 < 0 ? 0 : effects[$0] - shift }
    }

    /// A table of the indicator of each level, −1 for none.
    private static func levels(
        of encoding: CategoricalEncoding, _ feature: Int, _ value: (Int) -> Double
    ) -> Formula {
        Formula(
            .levels(
                column: feature,
                values: encoding.indicatorOfLevel.indices.map { value(encoding.indicator(of: Double($0))) },
                other: value(Int(encoding.missingIndicator))))
    }

    private static func column(of score: LevelScores) -> Formula {
        Formula(.levels(column: score.feature, values: score.values, other: 0))
    }

    /// The products of linear columns, in order; none where the model has no products.
    private func productColumns() -> [Formula] {
        guard let interactions = encoder.interactions else { return [] }
        var columns: [Formula] = []
        for (feature, source) in encoder.sources.enumerated() {
            guard case .categorical(let encoding) = source else {
                columns += numbers[feature]
                continue
            }
            for (indicator, place) in encoding.positions.enumerated() where place >= 0 {
                let share = encoding.shares[indicator]
                let unit = encoding.unit(of: share)
                columns.append(
                    Self.levels(of: encoding, feature) {
                        $0 < 0 ? 0 : ($0 == indicator ? 1 - share : 0 - share) / unit
                    })
            }
        }
        columns += encoder.scores.map(Self.column)
        return (0..<interactions.width).map { index in
            let pair = [interactions.first[index], interactions.second[index]].map { columns[Int($0)] }
            return Formula(
                .standardised(
                    Formula(.product(pair)), mean: interactions.centers[index],
                    deviation: interactions.spreads[index], missing: 0))
        }
    }
}

extension FittedLinearModel: FormulaProviding {
    func formulas() -> [Formula] {
        DesignFormulas(encoder).functions(intercepts: [intercept], coefficients: coefficients)
    }
}

extension LinearFunctions: FormulaProviding {
    package func formulas() -> [Formula] {
        DesignFormulas(encoder).functions(
            intercepts: functions.map(\.intercept), coefficients: functions.flatMap(\.coefficients))
    }
}

extension FittedLogisticModel: FormulaProviding {
    func formulas() -> [Formula] {
        let scores = DesignFormulas(encoder).functions(intercepts: intercepts, coefficients: coefficients)
        let present = occurs.indices.filter { occurs[$0] }
        var formulas = occurs.map { _ in Formula.constant(0) }
        for (place, label) in present.enumerated() {
            switch scores.count {
            case 0: formulas[label] = .constant(1)
            case 1:
                let score = place == 1 ? scores[0] : Formula(.difference(.constant(0), scores[0]))
                formulas[label] = Formula(.sigmoid(score))
            default: formulas[label] = Formula(.softmax(scores, index: place))
            }
        }
        return formulas
    }
}
