using System.Text;
using Orders.Dashboard.Login;

namespace Orders.Dashboard.Auth;

/// <summary>
/// What proves to the database who changes an account or a key: the key in the request, or the secret of its session.
/// The dashboard's own login at the database does not suffice for that.
/// </summary>
internal static class ActingSecret
{
    private const string Bearer = "Bearer ";

    /// <summary>The secret of a request that was authenticated.</summary>
    public static byte[] Of(HttpContext context) =>
        context.User.Identity?.AuthenticationType == KeyAuthentication.Scheme
            ? Encoding.UTF8.GetBytes(context.Request.Headers.Authorization.ToString()[Bearer.Length..])
            : Convert.FromHexString(
                SessionCookie.SecretOf(context)
                    ?? throw new InvalidOperationException("The endpoint asks for no role; add Needs(…) to its route.")
            );
}
