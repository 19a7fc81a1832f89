import MetaLearnersCore

extension SparseRows {
    /// target[row] = z·coefficients, for every row. O(stored values + columns).
    func multiply(_ coefficients: UnsafePointer<Double>, to target: UnsafeMutablePointer<Double>) {
        let scaled = (0..<width).map { coefficients[$0] * scales[$0] }
        var shift = 0.0
        for column in 0..<width { shift += coefficients[column] * shifts[column] }
        scaled.withUnsafeBufferPointer { scaled in
            forEachRow { row, columns, values in
                var sum = -shift
                for index in 0..<columns.count { sum += values[index] * scaled[Int(columns[index])] }
                target[row] = sum
            }
        }
    }

    /// target[column] += Σ z·factors[row] over all rows. O(stored values + columns).
    func addTransposed(_ factors: UnsafePointer<Double>, to target: UnsafeMutablePointer<Double>) {
        var sums = [Double](repeating: 0, count: width)
        var total = 0.0
        sums.withUnsafeMutableBufferPointer { sums in
            forEachRow { row, columns, values in
                let factor = factors[row]
                total += factor
                for index in 0..<columns.count { sums[Int(columns[index])] += factor * values[index] }
            }
        }
        for column in 0..<width { target[column] += scales[column] * sums[column] - shifts[column] * total }
    }

    /// target[column] += Σ z²·factors[row] over all rows. O(stored values + columns).
    func addSquares(_ factors: UnsafePointer<Double>, to target: UnsafeMutablePointer<Double>) {
        var squares = [Double](repeating: 0, count: width)
        var sums = squares
        var total = 0.0
        forEachRow { row, columns, values in
            let factor = factors[row]
            total += factor
            for index in 0..<columns.count {
                let weighted = factor * values[index]
                sums[Int(columns[index])] += weighted
                squares[Int(columns[index])] += weighted * values[index]
            }
        }
        for column in 0..<width {
            let (scale, shift) = (scales[column], shifts[column])
            target[column] +=
                scale * (scale * squares[column] - 2 * shift * sums[column]) + shift * shift * total
        }
    }

    /// Adds the sums of products of every two of the columns f·z, of f, and of v to `matrix`, an upper triangle by
    /// columns of which those of f and v are the last two.
    ///
    /// - Complexity: O(Σ stored values of a row² + columns²).
    func addGram(
        _ factors: UnsafePointer<Double>, _ responses: UnsafePointer<Double>, to matrix: DoubleBuffer
    ) throws(MetaLearnersError) {
        let order = width + 2
        let sums = try DoubleBuffer(order * order)
        let target = sums.start
        forEachRow { row, columns, values in
            let (factor, response) = (factors[row], responses[row])
            let square = factor * factor
            for index in 0..<columns.count {
                let weighted = square * values[index]
                let column = target + Int(columns[index]) * order
                for other in 0...index { column[Int(columns[other])] += weighted * values[other] }
            }
            let last = target + width * order
            for index in 0..<columns.count {
                last[Int(columns[index])] += square * values[index]
                last[order + Int(columns[index])] += factor * response * values[index]
            }
            last[width] += square
            last[order + width] += factor * response
            last[order + width + 1] += response * response
        }
        let first = target + width * order  // Σ f²·x
        let second = first + order  // Σ f·v·x
        let (squares, product) = (first[width], second[width])
        for column in 0..<width {
            let (scale, shift) = (scales[column], shifts[column])
            let source = target + column * order
            let destination = matrix.start + column * order
            for row in 0...column {
                destination[row] +=
                    scales[row] * (scale * source[row] - shift * first[row])
                    - shifts[row] * (scale * first[column] - shift * squares)
            }
            matrix.start[width * order + column] += scale * first[column] - shift * squares
            matrix.start[(width + 1) * order + column] += scale * second[column] - shift * product
        }
        matrix.start[width * order + width] += squares
        matrix.start[(width + 1) * order + width] += product
        matrix.start[(width + 1) * order + width + 1] += second[width + 1]
    }
}
