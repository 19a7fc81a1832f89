/*
 * Spans, errors, and how functions of C are called. Part of metalearners.hpp.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef METALEARNERS_CPP_ERROR_HPP
#define METALEARNERS_CPP_ERROR_HPP

#include <metalearners/common.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if __cplusplus >= 202002L
#include <span>
#endif

namespace metalearners {

// --------------------------------------------------------------------------------------------------- Spans

#if __cplusplus >= 202002L
template <class T>
using span = std::span<T>;
#else
/** Numbers that belong to somebody else: the part of C++20's std::span that is needed here. */
template <class T>
class span {
public:
    constexpr span() noexcept = default;
    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <std::size_t N>
    constexpr span(T (&values)[N]) noexcept : data_(values), size_(N) {}
    /** Of a vector, an array, a string, another span: of whatever has data() and size(). */
    template <class C, class = std::enable_if_t<!std::is_array_v<std::remove_reference_t<C>> &&
                  std::is_convertible_v<std::remove_pointer_t<decltype(std::declval<C &>().data())> (*)[], T (*)[]> &&
                  std::is_convertible_v<decltype(std::declval<C &>().size()), std::size_t>>>
    constexpr span(C &&values) noexcept : data_(values.data()), size_(values.size()) {}

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T &operator[](std::size_t place) const { return data_[place]; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};
#endif

// -------------------------------------------------------------------------------------------------- Errors

/** What went wrong, where, and what to do about it. */
class Error : public std::runtime_error {
public:
    Error(mtlr_status status, const std::string &message, std::string problem, std::optional<std::string> location,
          std::optional<std::string> remedy)
        : std::runtime_error(message), status_(status), problem_(std::move(problem)), location_(std::move(location)),
          remedy_(std::move(remedy)) {}

    /** MTLR_INVALID_DATA, MTLR_INVALID_SPEC, ... */
    mtlr_status status() const noexcept { return status_; }
    /** The name of the status, such as "invalid_data". */
    std::string kind() const { return mtlr_status_name(status_); }
    /** What is wrong, without place and remedy. */
    const std::string &problem() const noexcept { return problem_; }
    /** A column, a path in the spec or a file. */
    const std::optional<std::string> &location() const noexcept { return location_; }
    /** What to do about it, where that is known. */
    const std::optional<std::string> &remedy() const noexcept { return remedy_; }

private:
    mtlr_status status_;
    std::string problem_;
    std::optional<std::string> location_, remedy_;
};

namespace detail {

inline std::optional<std::string> text_or_none(const char *text) {
    return text ? std::optional<std::string>(text) : std::nullopt;
}

[[noreturn]] inline void raise(mtlr_status status, mtlr_error *error) {
    std::unique_ptr<mtlr_error, decltype(&mtlr_error_free)> owner(error, &mtlr_error_free);
    const char *message = mtlr_error_message(error), *problem = mtlr_error_problem(error);
    throw Error(status, message ? message : mtlr_status_name(status), problem ? problem : "", text_or_none(mtlr_error_location(error)),
                text_or_none(mtlr_error_remedy(error)));
}

/** Calls a function of C whose last argument is an error, and throws where it fails. */
template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
    mtlr_error *error = nullptr;
    const mtlr_status status = function(arguments..., &error);
    if (status != MTLR_OK) raise(status, error);
}

/** An error of this header itself, in the words that the library has. */
[[noreturn]] inline void refuse(const std::string &problem, const std::string &location, const std::string &remedy) {
    throw Error(MTLR_INVALID_ARGUMENT, location + ": " + problem + "; " + remedy, problem, location, remedy);
}

/** A text that the library made, copied and given back. */
inline std::string take(char *text) {
    std::unique_ptr<char, decltype(&mtlr_string_free)> owner(text, &mtlr_string_free);
    return text ? std::string(text) : std::string();
}

/** The text that a function of C writes into its first argument. */
template <class Function, class... Arguments>
std::string text(Function function, Arguments... arguments) {
    char *made = nullptr;
    call(function, &made, arguments...);
    return take(made);
}

/** The object that a function of C makes, which is freed with the last that shares it. */
template <class T, class Function, class... Arguments>
std::shared_ptr<T> make(void (*release)(T *), Function function, Arguments... arguments) {
    T *made = nullptr;
    call(function, &made, arguments...);
    return std::shared_ptr<T>(made, release);
}

inline void append_utf8(std::string &text, unsigned code) {
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += static_cast<char>(0xC0 | code >> 6);
        text += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        text += static_cast<char>(0xE0 | code >> 12);
        text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        text += static_cast<char>(0xF0 | code >> 18);
        text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
        text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (code & 0x3F));
    }
}

/** The texts of a JSON list of texts, which is what the library's lists of names and warnings are. */
inline std::vector<std::string> texts(const std::string &json) {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < json.size(); ++at) {
        if (json[at] != '"') continue;
        std::string one;
        for (++at; at < json.size() && json[at] != '"'; ++at) {
            if (json[at] != '\\' || at + 1 >= json.size()) {
                one += json[at];
                continue;
            }
            const char escaped = json[++at];
            const auto hex = [&](std::size_t from) { return static_cast<unsigned>(std::stoul(json.substr(from, 4), nullptr, 16)); };
            if (escaped == 'u' && at + 4 < json.size()) {
                unsigned code = hex(at + 1);
                at += 4;
                if (code >= 0xD800 && code < 0xDC00 && json.compare(at + 1, 2, "\\u") == 0 && at + 6 < json.size()) {
                    code = 0x10000 + ((code - 0xD800) << 10) + (hex(at + 3) - 0xDC00);
                    at += 6;
                }
                append_utf8(one, code);
            } else {
                const std::string_view from = "bfnrt", to = "\b\f\n\r\t";
                const std::size_t place = from.find(escaped);
                one += place == std::string_view::npos ? escaped : to[place];
            }
        }
        found.push_back(std::move(one));
    }
    return found;
}

}  // namespace detail

}  // namespace metalearners

#endif  // METALEARNERS_CPP_ERROR_HPP
