using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Orders.Dashboard.Oidc;

namespace Orders.Dashboard.Tests.Oidc;

/// <summary>Which faults of a login are logged with their stack.</summary>
internal sealed class OidcFaultTests
{
    private static readonly Exception[] Explained =
    [
        new HttpRequestException("x"),
        new TaskCanceledException("x"),
        new InvalidOperationException("IDX20803: Unable to obtain configuration", new IOException("x")),
        new OpenIdConnectProtocolException("x"),
        new SecurityTokenExpiredException("x"),
        new JsonException("x"),
        new AuthenticationFailureException("Correlation failed."),
        new AuthenticationFailureException("x", new OpenIdConnectProtocolInvalidNonceException("x")),
    ];

    [TestCaseSource(nameof(Explained))]
    public void What_the_protocol_or_the_network_explains_has_no_stack(Exception fault) =>
        Assert.That(OidcLogin.StackOf(fault), Is.Null);

    private static readonly Exception[] Unexpected =
    [
        new InvalidOperationException("a secret of the provider"),
        new ArgumentException("a secret of the provider"),
        new AuthenticationFailureException("x", new KeyNotFoundException("a secret of the provider")),
    ];

    [TestCaseSource(nameof(Unexpected))]
    public void A_defect_of_ours_has_its_stack_and_no_text(Exception fault)
    {
        var stack = OidcLogin.StackOf(Thrown(fault));
        Assert.That(stack, Does.StartWith(fault.GetType().FullName!).And.Contain(nameof(Thrown)));
        Assert.That(stack, Does.Contain((fault.InnerException ?? fault).GetType().FullName!));
        Assert.That(stack, Does.Not.Contain("secret"));
    }

    private static Exception Thrown(Exception fault)
    {
        try
        {
            throw fault;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
    }
}
