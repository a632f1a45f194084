using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Orders.Infrastructure;
using Orders.Producer.Api.Orders;

namespace Orders.Producer.Api.Docs;

// These shapes are for the reader of /docs. Bodies are read by hand (Validation/OrderBody) and problems written by hand
// (Problems/Problem); a test holds both together.

/// <summary>An order to be posted. Members are case-sensitive; unknown and repeated ones are refused.</summary>
/// <param name="Customer">Who orders.</param>
/// <param name="Lines">What is ordered; no article twice.</param>
/// <param name="Currency">EUR, USD or GBP.</param>
/// <param name="ShippingAddress">Where it goes.</param>
/// <param name="Premium">Whether it goes before normal orders.</param>
/// <param name="Notes">Free text.</param>
/// <param name="ReleaseAt">When the work may begin: RFC 3339 with an offset, at most 90 days ahead.</param>
public sealed record OrderRequest(
    [property: Required] CustomerRequest Customer,
    [property: Required, MinLength(1), MaxLength(100)] LineRequest[] Lines,
    [property: Required, AllowedValues("EUR", "USD", "GBP"), RegularExpression("^(EUR|USD|GBP)$")] string Currency,
    [property: Required] AddressRequest ShippingAddress,
    [property: DefaultValue(false)] bool Premium = false,
    [property: MaxLength(500)] string? Notes = null,
    DateTimeOffset? ReleaseAt = null
);

/// <summary>Who orders.</summary>
/// <param name="Name">1–100 visible characters.</param>
/// <param name="Email">One bare mail address, as HTML takes it; its domain has at least two labels.</param>
/// <param name="Locale">The locale of mails and invoice: en, en-GB, en-US, de, de-AT or de-CH.</param>
public sealed record CustomerRequest(
    [property: Required, MinLength(1), MaxLength(100)] string Name,
    [property: Required, EmailAddress, MaxLength(254)] string Email,
    [property:
        AllowedValues("en", "en-GB", "en-US", "de", "de-AT", "de-CH"),
        RegularExpression("^(en|en-GB|en-US|de|de-AT|de-CH)$"),
        DefaultValue(CustomerLocale.Default)
    ]
        string? Locale = CustomerLocale.Default
);

/// <summary>A line to be ordered.</summary>
/// <param name="Sku">An article of the catalogue.</param>
/// <param name="Quantity">Pieces.</param>
public sealed record LineRequest(
    [property: Required, RegularExpression("^[A-Z0-9-]{3,32}$")] string Sku,
    [property: Required, Range(1, 1000)] int Quantity
);

/// <summary>Where an order goes.</summary>
/// <param name="Line1">Street and house number.</param>
/// <param name="City">City.</param>
/// <param name="Country">ISO 3166-1 alpha-2, or XK.</param>
/// <param name="PostalCode">Postal code; may be left out in countries without postal codes.</param>
public sealed record AddressRequest(
    [property: Required, MinLength(1), MaxLength(200)] string Line1,
    [property: Required, MinLength(1), MaxLength(100)] string City,
    [property: Required, RegularExpression("^[A-Z]{2}$")] string Country,
    [property: MaxLength(20)] string? PostalCode = null
);

/// <summary>Orders to be posted together.</summary>
/// <param name="Orders">1–500 orders.</param>
public sealed record BatchRequest([property: Required, MinLength(1), MaxLength(500)] BatchOrderRequest[] Orders);

/// <summary>An order of a batch: an order, and its Idempotency-Key.</summary>
/// <param name="Customer">Who orders.</param>
/// <param name="Lines">What is ordered; no article twice.</param>
/// <param name="Currency">EUR, USD or GBP.</param>
/// <param name="ShippingAddress">Where it goes.</param>
/// <param name="Premium">Whether it goes before normal orders.</param>
/// <param name="Notes">Free text.</param>
/// <param name="ReleaseAt">When the work may begin: RFC 3339 with an offset, at most 90 days ahead.</param>
/// <param name="IdempotencyKey">
/// Names the order: the same key and order again, in a batch or alone, give the same order. Each key once in a batch.
/// </param>
public sealed record BatchOrderRequest(
    [property: Required] CustomerRequest Customer,
    [property: Required, MinLength(1), MaxLength(100)] LineRequest[] Lines,
    [property: Required, AllowedValues("EUR", "USD", "GBP"), RegularExpression("^(EUR|USD|GBP)$")] string Currency,
    [property: Required] AddressRequest ShippingAddress,
    [property: DefaultValue(false)] bool Premium = false,
    [property: MaxLength(500)] string? Notes = null,
    DateTimeOffset? ReleaseAt = null,
    [property: MaxLength(255)] string? IdempotencyKey = null
);

/// <summary>What became of a batch.</summary>
/// <param name="Results">A result per order, in the same order.</param>
public sealed record BatchAnswer([property: Required] BatchResult[] Results);

/// <summary>What became of one order of a batch.</summary>
/// <param name="Status">202, or what posting the order alone would have been refused with.</param>
/// <param name="Order">The accepted order; absent when it was refused.</param>
/// <param name="Problem">Why it was refused; absent when it was accepted.</param>
/// <param name="Replayed">true when an earlier request with the same key had made the order; else absent.</param>
public sealed record BatchResult(
    [property: Required] int Status,
    AcceptedOrder? Order,
    ProblemAnswer? Problem,
    bool? Replayed
);

/// <summary>A refusal (RFC 9457). It never repeats what was sent.</summary>
/// <param name="Type"><c>urn:problem:orders:</c> and a stable code.</param>
/// <param name="Title">The same for every problem of the type.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What was expected and what to change.</param>
/// <param name="TraceId">What to tell the operator.</param>
/// <param name="Errors">What is wrong with which field: messages by JSON pointer, or by the name of the query
/// parameter.</param>
public sealed record ProblemAnswer(
    [property: Required] string Type,
    [property: Required] string Title,
    [property: Required] int Status,
    [property: Required] string Detail,
    [property: Required] string TraceId,
    IDictionary<string, string[]>? Errors
);
