using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Orders.Infrastructure;
using Orders.Producer.Api.Docs;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Tests.Validation;

internal sealed class VocabularyTests
{
    [Test]
    public void There_are_249_countries_and_Kosovo() =>
        Assert.That(Countries.Codes, Has.Count.EqualTo(250).And.All.Matches("^[A-Z]{2}$").And.Some.EqualTo("XK"));

    [Test]
    public void Countries_without_postal_codes_are_countries() =>
        Assert.That(Countries.WithoutPostalCode, Has.Count.EqualTo(69).And.SubsetOf(Countries.Codes));

    [Test]
    public void The_description_lists_the_locales_that_there_are() =>
        Assert.That(
            typeof(CustomerRequest)
                .GetProperty(nameof(CustomerRequest.Locale))!
                .GetCustomAttribute<AllowedValuesAttribute>()!
                .Values,
            Is.EqualTo(CustomerLocale.Names)
        );

    [Test]
    public void The_codes_of_problems_are_the_ones_that_clients_know() =>
        Assert.That(
            typeof(ProblemKinds)
                .GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(f => (ProblemKind)f.GetValue(null)!)
                .Select(k => $"{k.Status} {k.Code}"),
            Is.EqualTo(
                new[]
                {
                    "400 bad-request",
                    "400 malformed-body",
                    "400 invalid-parameter",
                    "400 invalid-idempotency-key",
                    "401 unauthorized",
                    "403 missing-scope",
                    "404 not-found",
                    "404 order-not-found",
                    "404 invoice-not-ready",
                    "404 credit-note-not-ready",
                    "404 webhook-not-found",
                    "405 method-not-allowed",
                    "408 request-timeout",
                    "409 key-in-flight",
                    "409 order-not-cancellable",
                    "409 webhook-exists",
                    "409 too-many-webhooks",
                    "410 document-erased",
                    "413 body-too-large",
                    "415 unsupported-media-type",
                    "422 invalid-order",
                    "422 invalid-webhook",
                    "422 idempotency-key-reused",
                    "429 too-many-requests",
                    "429 too-much-at-once",
                    "500 internal-error",
                    "503 unavailable",
                    "503 outbox-full",
                    "503 too-many-watchers",
                }
            )
        );

    [Test]
    public void A_hundred_faults_are_told_and_no_more()
    {
        var body = $"{{\"lines\":[{string.Join(',', Enumerable.Repeat("0", 5000))}]}}";
        var errors = OrderBody.Read(System.Text.Encoding.UTF8.GetBytes(body), out _);
        Assert.That(errors!.Messages, Has.Count.EqualTo(100));
    }
}
